# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster keeps every acknowledged order through whatever happens to its servers."""

from __future__ import annotations

import contextlib
import shutil
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest
from dhakacart_lab import process
from dhakacart_lab.layout import LabError
from dhakacart_lab.postgres import Cluster
from dhakacart_lab.postgres.binaries import find_binaries

from .conftest import SUBNET, make_layout
from .shop import notes, place, until


def test_a_new_cluster_has_a_synchronous_standby(cluster: Cluster) -> None:
    wanted = {
        "max_connections": "200",
        "superuser_reserved_connections": "3",
        "log_min_duration_statement": "1000",
        "data_checksums": "off",
    }
    with cluster.connect() as connection:
        rows = connection.execute("SELECT application_name, state, sync_state FROM pg_stat_replication").fetchall()
        settings = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)",
                (
                    [
                        "max_connections",
                        "superuser_reserved_connections",
                        "log_min_duration_statement",
                        "data_checksums",
                    ],
                ),
            ).fetchall()
        )
    assert rows == [("dhakacart_standby", "streaming", "sync")]
    assert settings == wanted


def test_the_shop_is_a_plain_user_and_owns_its_database(cluster: Cluster) -> None:
    with cluster.connect(user="app") as connection:
        row = connection.execute(
            "SELECT rolsuper, pg_get_userbyid(datdba) = current_user FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = current_database()"
        ).fetchone()
    assert row == (False, True)


def test_the_password_file_lets_psql_in_and_nobody_else_reads_it(cluster: Cluster) -> None:
    layout = cluster.layout
    psql = find_binaries().path("psql")
    address = cluster.primary().address
    where = f"host={address.host} dbname={layout.database} user={layout.admin_user} passfile='{layout.pgpass}'"
    said = subprocess.run([psql, where, "-wAtc", "SELECT 1"], capture_output=True, text=True, timeout=10, check=True)
    assert said.stdout.strip() == "1"
    assert stat.S_IMODE(layout.pgpass.stat().st_mode) == 0o600


def test_no_password_is_in_a_log_or_in_the_arguments_of_a_process(cluster: Cluster) -> None:
    layout = cluster.layout
    cluster.set_password("app", layout.secret("db-app"))
    texts = [path.read_text(encoding="utf-8") for path in layout.logs.iterdir()]
    texts += [" ".join(found.cmdline()) for found in process.all_of(layout.lab_id)]
    secrets = [layout.secret(name) for name in ("db-admin", "db-app", "db-replication")]
    assert texts
    assert not [text for text in texts for secret in secrets if secret in text]


def test_a_killed_primary_loses_no_acknowledged_order(cluster: Cluster) -> None:
    acknowledged: list[str] = []

    def shop() -> None:
        with cluster.connect(cluster.primary().name, user="app") as connection:
            for number in range(100_000):
                connection.execute("INSERT INTO orders (note) VALUES (%s)", (f"kill-{number}",))
                acknowledged.append(f"kill-{number}")

    thread = threading.Thread(target=_until_it_breaks, args=(shop,))
    thread.start()
    until("placing orders", lambda: len(acknowledged) > 200, 10)
    cluster.primary().kill()
    thread.join(10)
    seconds = cluster.fail_over()
    assert seconds < 5
    assert set(acknowledged) <= notes(cluster)
    place(cluster, "after the failover")


def test_a_frozen_primary_is_fenced_before_the_standby_is_promoted(cluster: Cluster) -> None:
    place(cluster, "before the freeze")
    old = cluster.primary()
    old.freeze()
    assert old.frozen()
    assert not old.accepting()
    with pytest.raises(psycopg.OperationalError):
        old.connect(timeout=1)
    cluster.fail_over()
    assert not old.processes()
    assert cluster.primary().name != old.name
    assert "before the freeze" in notes(cluster)


def test_a_thawed_primary_goes_on(cluster: Cluster) -> None:
    cluster.primary().freeze()
    cluster.primary().thaw()
    place(cluster, "after the thaw")


def test_a_lagging_standby_replays_all_it_received_before_it_is_promoted(cluster: Cluster) -> None:
    with cluster.connect(cluster.standby().name) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
    place(cluster, "received, not replayed")
    assert "received, not replayed" not in notes(cluster, cluster.standby().name)
    cluster.primary().kill()
    cluster.fail_over()
    assert "received, not replayed" in notes(cluster)


def test_a_rebuilt_standby_streams_what_the_new_primary_writes(cluster: Cluster) -> None:
    cluster.primary().kill()
    cluster.fail_over()
    with pytest.raises(LabError, match="no standby"):
        cluster.standby()
    cluster.rebuild_standby()
    place(cluster, "after the rebuild")
    until("replicated", lambda: "after the rebuild" in notes(cluster, cluster.standby().name), 5)


def test_a_switch_over_swaps_the_roles_and_keeps_all(cluster: Cluster) -> None:
    place(cluster, "before the switch")
    before = cluster.roles()
    cluster.switch_over()
    assert cluster.roles() == {"a": before["b"], "b": before["a"]}
    assert "before the switch" in notes(cluster)
    place(cluster, "after the switch")


def test_without_a_standby_there_is_nothing_to_fail_over_to(cluster: Cluster) -> None:
    cluster.standby().kill()
    with pytest.raises(LabError, match="is down: nothing to fail over to"):
        cluster.fail_over()
    assert cluster.primary().accepting()


def test_up_starts_what_died(cluster: Cluster) -> None:
    place(cluster, "before the crash")
    roles = cluster.roles()
    for name in roles:
        cluster.node(name).kill()
    cluster.up()
    assert cluster.roles() == roles
    assert "before the crash" in notes(cluster)


def test_up_begins_anew_where_it_was_killed_while_it_made_the_first_server() -> None:
    folder = Path(tempfile.mkdtemp(prefix="dhakacart's lab ", dir="/var/tmp"))
    folder.chmod(0o755)
    cluster = Cluster(make_layout(folder, SUBNET + 1))
    try:
        cluster.up()
        for node in ("a", "b"):
            cluster.node(node).kill()
        (cluster.home / "roles.json").unlink()  # the roles are recorded when the first server runs
        cluster.up()
        assert cluster.roles() == {"a": "primary", "b": "standby"}
    finally:
        cluster.destroy()
        shutil.rmtree(folder)


def test_up_promotes_the_standby_where_the_disk_of_the_primary_is_lost(cluster: Cluster) -> None:
    place(cluster, "before the disk was lost")
    heir = cluster.standby().name
    cluster.primary().remove()
    cluster.up()
    assert cluster.primary().name == heir
    assert "before the disk was lost" in notes(cluster)


def test_up_makes_a_standby_again_that_somebody_promoted(cluster: Cluster) -> None:
    with cluster.connect(cluster.standby().name) as connection:
        connection.execute("SELECT pg_promote()")
    cluster.primary().synchronous_with("")  # what the agent does
    place(cluster, "on the true primary")
    cluster.up()
    until("replicated", lambda: "on the true primary" in notes(cluster, cluster.standby().name), 5)


def test_reset_mends_a_cluster_that_lets_nobody_in(cluster: Cluster) -> None:
    cluster.set_password("replication", "changed by somebody")
    cluster.standby().kill()
    with contextlib.ExitStack() as held:
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            for _ in range(300):
                held.enter_context(contextlib.closing(cluster.connect(timeout=10)))
        cluster.reset()
    place(cluster, "after the storm")


def test_down_leaves_no_process_and_no_mount_and_up_brings_the_data_back(cluster: Cluster) -> None:
    place(cluster, "before down")
    cluster.down()
    assert not [found for name in "abc" for found in cluster.node(name).processes()]
    assert not any(cluster.node(name).small_disk.mounted for name in "ab")
    cluster.up()
    assert "before down" in notes(cluster)


def test_a_changed_password_counts_until_reset(cluster: Cluster) -> None:
    cluster.set_password("app", "rotated by somebody")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        cluster.connect(user="app")
    cluster.reset()
    place(cluster, "with the old password")


def _until_it_breaks(work: object) -> None:
    try:
        work()  # type: ignore[operator]
    except psycopg.OperationalError:
        return

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever ``runbook`` is given that is wrong: one line that says what, where and what to do, and its exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
RUNBOOK = (str(Path(sys.executable).with_name("runbook")),)
USAGE, INTERRUPTED, INFRASTRUCTURE = 1, 3, 4
LONG = "a" * 5000
WITHOUT_COLLECTION = (sys.executable, "-c", "from dhakacart_runbooks.cli.app import main; main()")


@dataclass(frozen=True)
class Bad:
    """One wrong command.

    :param says: parts of the one line on standard error; ``{home}`` is the test's own folder.
    """

    name: str
    words: tuple[str, ...]
    code: int
    says: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""


def unknown(what: str, command: str, *says: str) -> Bad:
    return Bad(f"{what}: {command[:60]}", tuple(command.split(" ")), USAGE, says)


def cases(name: str, code: int, commands: str, *says: str, **env: str) -> list[Bad]:
    """The same trouble for several commands, separated by ``;``."""
    return [
        Bad(f"{name}: {c}", tuple(c.split()), code, (f"runbook {c.split()[0]}", *says), env)
        for c in commands.split("; ")
    ]


CASES = [
    unknown("runbook", "show databse-failure", "unknown runbook 'databse-failure'", "did you mean database-failure?"),
    unknown("runbook", "run databse-failure", "unknown runbook 'databse-failure'", "did you mean database-failure?"),
    unknown("runbook", "report last -r databse-failure --incidents {home}", "no incident record of databse-failure"),
    unknown("runbook", "triage --alert NoSuchAlert", "--alert: unknown alert 'NoSuchAlert'"),
    unknown("category", "list -c emergancy", "--category: unknown category 'emergancy'", "one of emergency"),
    unknown("section", "show database-failure nosuch", "database-failure: unknown section 'nosuch'", "one of"),
    unknown("section", "show database-failure i", "ambiguous section 'i'", "immediate"),
    unknown("section", "show triage nosuch", "triage: is a tool and has no page", "runbook show triage"),
    unknown("section", "run database-failure -s imediate", "unknown section 'imediate'", "did you mean immediate?"),
    unknown(
        "branch", "run database-failure --branch nosuch --no-history", "branch: unknown branch 'nosuch'", "failover"
    ),
    *cases(
        "inventory",
        USAGE,
        "run database-failure -i stagin; triage -i stagin; doctor -i stagin",
        "--inventory: unknown inventory 'stagin'",
        "did you mean staging?",
    ),
    *cases(
        "home of nobody",
        USAGE,
        "run database-failure -i ~nosuchuser/x; triage -i ~nosuchuser/x",
        "unknown inventory '~nosuchuser/x'",
    ),
    Bad(
        "an inventory that is empty",
        ("run", "database-failure", "-i", ""),
        USAGE,
        ("--inventory: is empty", "leave it out"),
    ),
    Bad(
        "an inventory too long for a path",
        ("run", "database-failure", "-i", LONG),
        USAGE,
        ("--inventory", "File name too long"),
    ),
    unknown("drill", "drill run databse-primary-killed", "no such drill", "did you mean database-primary-killed?"),
    unknown("drill", "drill check {home}/no-title.yml", "no-title.yml: key 'title'", "add title"),
    unknown("drill", "drill check {home}/no-yaml.yml", "no-yaml.yml: is not valid YAML (line 1"),
    *cases(
        "history that is no database",
        INFRASTRUCTURE,
        "history; show-run last; prune-history --yes; report 3f2a; drill trend",
        "history {home}/junk.db: file is not a database",
        "mv {home}/junk.db",
        DHAKACART_HISTORY_URL="{home}/junk.db",
    ),
    *cases(
        "history that is a folder",
        INFRASTRUCTURE,
        "history; show-run last; prune-history --yes",
        "history {home}: cannot be written: Is a directory",
        DHAKACART_HISTORY_URL="{home}",
    ),
    *cases(
        "history in the home of nobody",
        USAGE,
        "history; show-run last",
        "DHAKACART_HISTORY_URL: no home folder of '~nosuchuser/x'",
        DHAKACART_HISTORY_URL="~nosuchuser/x",
    ),
    *cases(
        "state folder that cannot be made",
        INFRASTRUCTURE,
        "history; show-run last; prune-history --yes; show database-failure --web; drill trend",
        "/dev/null/state",
        "set DHAKACART_STATE_HOME",
        DHAKACART_STATE_HOME="/dev/null/state",
    ),
    *cases(
        "collection that is none",
        INFRASTRUCTURE,
        "list; show database-failure; search disk; triage; run database-failure; doctor; report; drill list",
        "DHAKACART_COLLECTION: {home} is no dhakacart.runbooks collection",
        DHAKACART_COLLECTION="{home}",
    ),
    *cases(
        "collection in the home of nobody",
        INFRASTRUCTURE,
        "list; run database-failure",
        "DHAKACART_COLLECTION: ~nosuchuser/x is no",
        DHAKACART_COLLECTION="~nosuchuser/x",
    ),
    *cases(
        "installed collection in a wrong folder",
        INFRASTRUCTURE,
        "list; run database-failure",
        "is not in a folder ansible_collections/dhakacart/runbooks",
        DHAKACART_COLLECTION="{home}/unpacked",
    ),
    *cases(
        "playbook that is not UTF-8",
        INFRASTRUCTURE,
        "run database-failure; list --json",
        "{home}/binary/playbooks/database-failure.yml: cannot be read (not UTF-8 text)",
        DHAKACART_COLLECTION="{home}/binary",
    ),
    *cases(
        "playbook of the wrong shape",
        INFRASTRUCTURE,
        "run database-failure; list --json",
        "{home}/shape/playbooks/database-failure.yml: is no playbook",
        DHAKACART_COLLECTION="{home}/shape",
    ),
    *cases(
        "common variables that are not UTF-8",
        INFRASTRUCTURE,
        "list; search disk",
        "{home}/common/inventories/common/platform.yml: cannot be read (not UTF-8 text)",
        DHAKACART_COLLECTION="{home}/common",
    ),
    *cases(
        "index without a table",
        INFRASTRUCTURE,
        "list; search disk; triage; run database-failure",
        "{home}/index/runbooks/README.md: no table of runbooks",
        DHAKACART_COLLECTION="{home}/index",
    ),
    unknown("option", "list --nosuch", "runbook list: No such option: --nosuch", "runbook list --help"),
    unknown("command", "lst", "runbook: No such command 'lst'", "runbook --help"),
    unknown("number", "history -n 99999999999999999999", "--limit", "runbook history --help"),
    unknown("number", "prune-history --keep 99999999999999999999", "--keep", "runbook prune-history --help"),
    unknown("period", "history --since 7x", "--since: '7x' is neither", "2026-11-01"),
    unknown("period", "prune-history --older-than soon", "--older-than: 'soon' is not a length of time"),
    unknown("period", "run database-failure --timeout soon", "--timeout: 'soon' is no duration"),
    unknown("status", "history --status helthy", "--status: no run ends as 'helthy'", "one of"),
    unknown("variable", "run database-failure -e foo", "-e: 'foo' is not key=value"),
    unknown(
        "variable", "run database-failure -e dhakacart_prefx=x", "unknown variable 'dhakacart_prefx'", "did you mean"
    ),
    unknown("variable", "run database-failure -e db_password=x", "looks like a secret"),
    Bad(
        "an approval without a reason",
        ("run", "database-failure", "--approve", " "),
        USAGE,
        ("--approve: an approval needs a reason",),
    ),
    unknown(
        "approval", "run database-failure -s resolution -i production", "--approve", "not approved; nothing was started"
    ),
    unknown("run id", "show-run nosuch", "nosuch: no run of the history has this id", "runbook history"),
    unknown("incident", "report nosuch --incidents {home}", "no incident, and no run, of this name", "runbook history"),
    unknown("incident", "report {home} --incidents {home}", "{home}: holds no incident record"),
    unknown("incident", "report ~nosuchuser/x --incidents {home}", "~nosuchuser/x: no incident"),
    Bad(
        "an incident too long for a path",
        ("report", LONG, "--incidents", "{home}"),
        USAGE,
        ("no incident, and no run",),
    ),
    unknown(
        "format", "report {home}/2026-11-23-030405-lab-x -f pdf", "--format: 'pdf' is no format", "md,html,postmortem"
    ),
    Bad(
        "a report that cannot be written",
        ("report", "{home}/2026-11-23-030405-lab-x", "--out", "/dev/null/x"),
        INFRASTRUCTURE,
        ("/dev/null/x/report.md: cannot be written", "--out DIR"),
    ),
    Bad("nothing to search for", ("search",), USAGE, ("nothing to search for", 'runbook search "')),
    Bad("nothing on standard input", ("search", "-"), USAGE, ("nothing to search for",)),
    Bad("what no runbook is about", ("search", "zzzz"), USAGE, ("nothing found", "runbook list")),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing is as it should be."""
    made = tmp_path_factory.mktemp("home")
    (made / "junk.db").write_text("this is no database\n" * 100)
    (made / "no-title.yml").write_text("name: x\n")
    (made / "no-yaml.yml").write_text("a: [b")
    (made / "2026-11-23-030405-lab-x").mkdir()
    (made / "2026-11-23-030405-lab-x/timeline.jsonl").write_text('{"time": 1, "event": "opened"}\n')
    _collection(made / "binary", "playbooks/database-failure.yml", b"- hosts: all\n  tags: [symptoms]  # \xff\xfe\n")
    _collection(made / "shape", "playbooks/database-failure.yml", b"- just a text\n")
    _collection(made / "common", "inventories/common/platform.yml", b"a: b  # \xff\xfe\n")
    _collection(made / "index", "runbooks/README.md", b"")
    _collection(
        made / "unpacked", "MANIFEST.json", b'{"collection_info": {"namespace": "dhakacart", "name": "runbooks"}}'
    )
    (made / "unpacked/galaxy.yml").unlink()
    return made


def _collection(folder: Path, file: str, content: bytes) -> None:
    """A copy of the collection with one file that is wrong."""
    for part in ("playbooks", "runbooks", "inventories"):
        shutil.copytree(ROOT / part, folder / part, symlinks=True)
    shutil.copy(ROOT / "galaxy.yml", folder)
    (folder / file).write_bytes(content)


def run(words: tuple[str, ...], home: Path, env: dict[str, str], **more: object) -> subprocess.CompletedProcess[bytes]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DHAKACART_", "ANSIBLE_"))}
    ours |= {"HOME": str(home), "DHAKACART_STATE_HOME": str(home / "state"), "COLUMNS": "40"} | env
    options: dict[str, object] = {"input": b"", "capture_output": True, "timeout": 60, "cwd": ROOT, **more}
    return subprocess.run(words, env=ours, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_bad_input_is_answered_in_one_line_with_its_exit_code(bad: Bad, home: Path) -> None:
    words = tuple(word.replace("{home}", str(home)) for word in bad.words)
    env = {name: value.replace("{home}", str(home)) for name, value in bad.env.items()}

    done = run((*RUNBOOK, *words), home, env, input=bad.stdin)

    lines = done.stderr.decode().splitlines()
    assert done.returncode == bad.code, done.stderr.decode()
    told = [line for line in lines if line.startswith("runbook")]
    assert len(told) == 1, lines
    if bad.words[0] != "run" or "--branch" not in bad.words:  # what only Ansible knows is told by the run, too
        assert lines == told
        assert done.stdout == b""
    assert "remedy: " in told[0]
    for part in bad.says:
        assert part.replace("{home}", str(home)) in told[0]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel installs it, away from any checkout."""
    site = tmp_path_factory.mktemp("python") / "lib/site"
    shutil.copytree(ROOT / "python_wrapper/dhakacart_runbooks", site / "dhakacart_runbooks")
    return site


@pytest.mark.parametrize(
    "command", ["list", "show x", "search x", "triage", "run x", "doctor", "report", "drill list", "drill check"]
)
def test_without_a_collection_every_command_says_how_to_get_one(command: str, home: Path, alone: Path) -> None:
    done = run((*WITHOUT_COLLECTION, *command.split()), home, {"PYTHONPATH": str(alone)}, cwd="/")

    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == INFRASTRUCTURE
    assert "no dhakacart.runbooks collection found; remedy: " in line
    assert "ansible-galaxy collection install dhakacart.runbooks" in line


@pytest.mark.parametrize("command", ["history", "prune-history --yes"])
def test_the_history_needs_no_collection(command: str, home: Path, alone: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(alone), "DHAKACART_STATE_HOME": str(tmp_path)}

    assert run((*WITHOUT_COLLECTION, *command.split()), home, env, cwd="/").returncode == 0


@pytest.mark.parametrize("command", ["list", "list --json", "show database-failure", "search disk", "history --json"])
def test_a_full_disk_behind_standard_output_is_told(command: str, home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run((*RUNBOOK, *command.split()), home, {}, capture_output=False, stdout=full, stderr=subprocess.PIPE)

    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == INFRASTRUCTURE
    assert line.startswith("runbook: standard output: cannot be written (No space left on device); remedy: ")


@pytest.mark.parametrize("command", ["show database-failure", "list --json", "list"])
def test_a_reader_that_goes_away_ends_the_command_quietly(command: str, home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run((*RUNBOOK, *command.split()), home, {}, capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)

    assert (done.returncode, done.stderr) == (INTERRUPTED, b"")


def test_a_closed_standard_output_is_no_traceback(home: Path) -> None:
    done = run(("/bin/sh", "-c", f"{RUNBOOK[0]} list >&-"), home, {})

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_log_that_is_not_utf_8_is_searched_all_the_same(home: Path) -> None:
    done = run((*RUNBOOK, "search", "-", "--json"), home, {}, input=b"\xff\xfe caf\xe9: too many connections\n")

    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)[0]["slug"] == "database-failure"


def test_a_log_without_an_end_is_searched_from_its_beginning(home: Path) -> None:
    done = run(("/bin/sh", "-c", f"yes too many connections | {RUNBOOK[0]} search -"), home, {})

    assert done.returncode == 0
    assert b"database-failure" in done.stdout


@pytest.mark.parametrize("variable", ["DHAKACART_COLLECTION", "DHAKACART_HISTORY_URL"])
@pytest.mark.parametrize(
    "line", ["runbook run data", "runbook run database-failure -s ", "runbook show-run ", "runbook list -c "]
)
def test_completion_offers_nothing_and_says_nothing_where_it_cannot_answer(
    variable: str, line: str, home: Path
) -> None:
    env = {
        "_RUNBOOK_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        variable: "~nosuchuser/x",
        "XDG_STATE_HOME": "/dev/null",
    }

    done = run(RUNBOOK, home, env)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_mistake_of_this_program_is_infrastructure_and_not_usage(home: Path) -> None:
    """A traceback would end with 1, which scripts read as "you typed it wrong"."""
    broken = (
        "import dhakacart_runbooks.cli.list_ as m; m.show = None; from dhakacart_runbooks.cli.app import main; main()"
    )
    words = (sys.executable, "-c", broken, "list")

    short, long = run(words, home, {}), run(words, home, {"DHAKACART_TRACEBACK": "1"})

    (line,) = short.stderr.decode().splitlines()
    assert short.returncode == long.returncode == INFRASTRUCTURE
    assert line.startswith("runbook: a mistake of this program (TypeError: ")
    assert "DHAKACART_TRACEBACK=1" in line
    assert b"Traceback (most recent call last)" in long.stderr

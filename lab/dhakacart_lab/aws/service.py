# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS of a lab, put together: moto, the seed, the bridge, the monitor, the state file, the HTTP server."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from ..layout import LabError, Layout
from ..postgres.binaries import find_binaries
from . import api, rds, state
from .inprocess import InProcess
from .monitor import Monitor
from .rds_bridge import Bridge, one_line
from .seed import Seed, database_secret, seed_core
from .seed_rest import RestSeeder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

STALE = 15.0  # seconds without a round of the monitor: it hangs
RESET_TIMEOUT = 60.0  # seconds to wait for an action of the bridge to end
# What an action leaves when the component dies under it, and what the instance is then.
UNFINISHED = {"creating": "failed", "deleting": "failed", "stopping": "available", "starting": "stopped"}
SETTLED = ("available", "failed", "stopped", "storage-full")


class Service:
    def __init__(self, layout: Layout) -> None:
        begin = time.monotonic()
        self.layout = layout
        self._saving = threading.Lock()
        self._file = state.StateFile(layout.folder / "aws" / "state.json")
        # The same ids (VPC, security groups, secret ARNs) after every start of this lab.
        mock_random.seed(layout.lab_id)
        self._backends = rds.install(layout)
        self._moto = DomainDispatcherApplication(create_backend_app)
        in_process = InProcess(self._moto)
        self.seed = Seed(layout, in_process, find_binaries().version)
        self.bridge = Bridge(self.seed, self._backends[layout.region], self.save)
        api.install(self.bridge)
        self._ready = False  # the seed is no change to write down
        seed_core(self.seed)
        rds.finish_seed(layout, self._backends)
        # What reset goes back to: the lab's first start, not this one.
        self._pristine = state.capture(self.seed, self._backends)
        self._resume()
        self._ready = True
        self.save()
        in_process.forget()
        self._rest = RestSeeder(self.seed)
        self._monitor = Monitor(self.bridge)
        log.info("seeded in %.1f s", time.monotonic() - begin)

    def serve(self) -> None:
        """Answer requests until the process ends."""
        address = self.layout.aws
        server = make_server(
            address.host, address.port, self._answer, threaded=True, request_handler=MotoRequestHandler
        )
        self._monitor.start()
        log.info("answering on http://%s", address)
        server.serve_forever()

    def save(self) -> None:
        if self._ready:
            with self._saving:
                now = state.capture(self.seed, self._backends)
                self._file.write({"now": now, "first": self._pristine})

    def _resume(self) -> None:
        written = self._file.read()
        if written is None:
            return
        self._pristine = written["first"]
        state.restore(self.seed, self._backends, written["now"])
        for backend in self._backends.values():
            for instance in backend.instances():
                if instance.status not in SETTLED:
                    was, instance.status = instance.status, UNFINISHED.get(instance.status, "available")
                    message = f"AWS was restarted while the instance was {was}: how far that came is not known."
                    backend.note(instance, message, "failure")
                    if was == "rebooting":  # perhaps the failover was done and the endpoint not moved
                        self.bridge.follow(instance)

    # --- HTTP

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "HTTP_AUTHORIZATION" not in environ and path.startswith("/lab/"):
            return self._lab(Request(environ))(environ, start_response)
        if path.startswith("/moto-api"):
            # moto's own reset would take the lab's backends away.
            return Response("not in a lab\n", status=404)(environ, start_response)
        self._rest.ensure(environ.get("HTTP_AUTHORIZATION", ""))
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _lab(self, request: Request) -> Response:
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/lab/health"): self.problems,
            ("GET", "/lab/facts"): self.facts,
            ("POST", "/lab/reset"): self.reset,
        }
        route = routes.get((request.method, request.path))
        if route is None:
            return Response("no such thing\n", status=404)
        try:
            return Response(json.dumps(route()), mimetype="application/json")
        except LabError as error:
            return Response(json.dumps({"error": one_line(error)}), status=409, mimetype="application/json")

    def problems(self) -> list[str]:
        """What is wrong, in words; empty when all is well."""
        found = [f"seed of {name}: {problem}" for name, problem in self._rest.problems.items()]
        if not self._monitor.is_alive():
            found.append("the monitor of the databases ended; see the log")
        elif (age := time.monotonic() - self._monitor.last_tick) > STALE:
            found.append(f"the monitor of the databases made no round for {age:.0f} s")
        return found

    def facts(self) -> dict[str, Any]:
        """What RDS, Secrets Manager and the database's security group say; values of secrets as digests."""
        captured = state.capture(self.seed, self._backends)
        return {
            "instances": {region: found["instances"] for region, found in captured["rds"].items()},
            "snapshots": {
                region: sorted(snapshot["id"] for snapshot in found["snapshots"])
                for region, found in captured["rds"].items()
            },
            "parameter_groups": {region: found["parameter_groups"] for region, found in captured["rds"].items()},
            "secrets": {
                name: {
                    version: {
                        "stages": sorted(facts["version_stages"]),
                        "digest": hashlib.sha256(str(facts["secret_string"]).encode()).hexdigest()[:16],
                    }
                    for version, facts in found["versions"].items()
                }
                for name, found in captured["secrets"].items()
            },
            "database_group": captured["database_group"],
        }

    def reset(self) -> list[str]:
        """RDS, secrets and the security group as seeded, the database secret with the current password."""
        if not self.bridge.servers.acquire(timeout=RESET_TIMEOUT):
            raise LabError("an RDS action is still at work; remedy: wait for it, or runbook lab down")
        try:
            events = {region: list(backend.events) for region, backend in self._backends.items()}
            state.restore(self.seed, self._backends, copy.deepcopy(self._pristine))
            for region, backend in self._backends.items():
                backend.events[:] = events[region]
                for instance in backend.instances():
                    instance.actions += 1  # what is still at work has no say any more
                    instance.status_infos = []
            self._current_password()
            self.bridge.close_recovery_endpoint()
            self.save()
        finally:
            self.bridge.servers.release()
        # Else the figures of the trouble that was healed would be the latest for five seconds more. Twice: a round
        # that was under way may have begun before.
        self._monitor.measure_now(5)
        self._monitor.measure_now(5)
        return self.problems()

    def _current_password(self) -> None:
        manager = self.seed.client("secretsmanager")
        name = self.seed.name("db-credentials")
        wanted = database_secret(self.layout, self.layout.secret("db-app"))
        if json.loads(manager.get_secret_value(SecretId=name)["SecretString"]) != wanted:
            manager.put_secret_value(SecretId=name, SecretString=json.dumps(wanted))

# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of somebody's, such as one of kind, that was marked as one to be thrown away. The lab's kubelets join it.

Whoever wants it used says so in the cluster itself, with a label of its namespace ``default``: a kubeconfig is changed
too easily, and nothing of a lab may ever reach a cluster that somebody needs.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ... import process
from ...layout import Foreign, LabError, Layout
from ..access import CONTEXT, READER_CONTEXT, read_kubeconfig, write_private
from ..api import Api
from ..control_plane.bootstrap import RBAC, reader_rules
from ..errors import ApiError
from ..kinds import LEASE, Obj
from .base import Provider

MARK = "dhakacart.com/throw-away"
LAB_ID = "dhakacart.com/lab-id"
READER = "dhakacart-lab-readonly"
TOKEN_LIFE = 10 * 24 * 3600  # seconds; every `up` asks for a new one
API_ANSWER, NAMESPACES_GONE = 10.0, 90.0  # seconds
APPLY = {"content_type": "application/apply-patch+yaml", "query": {"fieldManager": "dhakacart-lab", "force": "true"}}


def refuse_unmarked(foreign: Foreign) -> None:
    """LabError where the cluster does not answer, or does not say of itself that it is to be thrown away."""
    path = Path(foreign.kubeconfig)
    api = Api(path, foreign.context or None)
    try:
        default = api.get("namespaces", "default")
    except ApiError as error:
        raise LabError(f"{foreign}: namespace default: {error}; remedy: credentials of an administrator") from None
    except LabError as error:  # whose remedy is one for the lab's own cluster
        what = str(error).partition("; remedy")[0]
        raise LabError(f"{what}; remedy: --kubeconfig and --context of a cluster that answers") from None
    if (default["metadata"].get("labels") or {}).get(MARK) != "true":
        raise LabError(
            f"{foreign}: the cluster at {read_kubeconfig(path, foreign.context or None).server} is not marked as one "
            f"to be thrown away; remedy, only if it is one: kubectl label namespace default {MARK}=true"
        )


class Kubeconfig(Provider):
    """Only the kubelets are the lab's; the control plane is there already."""

    components: ClassVar[Mapping[str, str]] = {}

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        if layout.foreign is None:
            raise LabError("--kubernetes kubeconfig: of which cluster? remedy: --kubeconfig FILE [--context NAME]")
        self._foreign = layout.foreign

    def start(self) -> None:
        refuse_unmarked(self._foreign)
        self._write_kubeconfig(reader_token="")
        process.wait_for("the cluster's API", self.answers, timeout=API_ANSWER)
        self._refuse_others()
        self._write_kubeconfig(reader_token=self._reader_token())

    def _refuse_others(self) -> None:
        """A namespace of another lab, or of somebody's shop."""
        name = self.layout.namespace
        with contextlib.suppress(ApiError):
            labels = self.api.get("namespaces", name)["metadata"].get("labels") or {}
            if labels.get(LAB_ID) != self.layout.lab_id:
                whose = f"lab {labels[LAB_ID]}" if LAB_ID in labels else "somebody else"
                raise LabError(
                    f"{self._foreign}: namespace {name} belongs to {whose}; remedy: a cluster without it, or delete it"
                )

    def _reader_token(self) -> str:
        """The lab's second account: a service account that may read everything but secrets."""
        namespace, name = self.layout.namespace, f"{READER}-{self.layout.lab_id}"
        meta = {"name": name, "labels": {LAB_ID: self.layout.lab_id}}
        subject = {"kind": "ServiceAccount", "name": READER, "namespace": namespace}
        role_ref = {"kind": "ClusterRole", "name": name, "apiGroup": RBAC}
        rbac = f"/apis/{RBAC}/v1"
        for path, obj in (
            (f"/api/v1/namespaces/{namespace}", self._namespace()),
            (
                f"/api/v1/namespaces/{namespace}/serviceaccounts/{READER}",
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": READER}},
            ),
            (
                f"{rbac}/clusterroles/{name}",
                {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": reader_rules()},
            ),
            (
                f"{rbac}/clusterrolebindings/{name}",
                {
                    "apiVersion": f"{RBAC}/v1",
                    "kind": "ClusterRoleBinding",
                    "metadata": meta,
                    "roleRef": role_ref,
                    "subjects": [subject],
                },
            ),
        ):
            self._ask("PATCH", path, obj, **APPLY)
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        found = self._ask(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{READER}/token",
            {**wanted, "spec": {"expirationSeconds": TOKEN_LIFE}},
        )
        return str(found["status"]["token"])

    def _namespace(self) -> Obj:
        from .. import manifests

        return next(obj for obj in manifests.objects(self.layout) if obj["metadata"]["name"] == self.layout.namespace)

    def _ask(self, method: str, path: str, body: Obj, **more: Any) -> Obj:
        try:
            return self.api.request(method, path, body, **more)
        except ApiError as error:
            raise LabError(f"{self._foreign}: {path}: {error}; remedy: credentials of an administrator") from None

    def _write_kubeconfig(self, *, reader_token: str) -> None:
        """The lab's own: the administrator is the person's user, the reader the lab's service account."""
        source = Path(self._foreign.kubeconfig)
        config = yaml.safe_load(source.read_text(encoding="utf-8"))
        chosen = self._foreign.context or config["current-context"]
        context = next(entry["context"] for entry in config["contexts"] if entry["name"] == chosen)
        cluster = next(entry["cluster"] for entry in config["clusters"] if entry["name"] == context["cluster"])
        user = next(entry["user"] for entry in config["users"] if entry["name"] == context["user"])
        users = {CONTEXT: user, **({READER_CONTEXT: {"token": reader_token}} if reader_token else {})}
        own = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": _absolute(cluster, source.parent)}],
            "users": [{"name": name, "user": _absolute(found, source.parent)} for name, found in users.items()],
            "contexts": [
                {"name": name, "context": {"cluster": "lab", "user": name, "namespace": self.layout.namespace}}
                for name in users
            ],
            "current-context": CONTEXT,
        }
        write_private(self.layout.kubeconfig, yaml.safe_dump(own, sort_keys=False))

    def down(self, report: Callable[[str], None] = lambda _line: None) -> None:
        """Take everything of the lab out of the cluster; where that is gone or away, only what runs here ends."""
        try:
            self._leave()
            super().down(report)
            self._forget_nodes()
        except (LabError, ApiError) as error:
            super().down(report)
            report(f"{self._foreign}: what the lab made there may be left ({error})")

    def _leave(self) -> None:
        mine = {"labels": f"{LAB_ID}={self.layout.lab_id}"}
        for namespace in self.api.list("namespaces", **mine):
            self.api.delete("namespaces", namespace["metadata"]["name"])
        # Their pods end as long as the kubelets are there to end them.
        process.wait_for(
            "the end of the lab's namespaces",
            lambda: not self.api.list("namespaces", **mine),
            timeout=NAMESPACES_GONE,
            interval=0.3,
        )

    def _forget_nodes(self) -> None:
        name = f"{READER}-{self.layout.lab_id}"
        for resource, names in (
            ("nodes", tuple(self.layout.kubelets)),
            ("clusterrolebindings", (name,)),
            ("clusterroles", (name,)),
        ):
            for each in names:
                with contextlib.suppress(ApiError):
                    self.api.delete(resource, each)
        for node in self.layout.kubelets:
            with contextlib.suppress(ApiError):
                self.api.request("DELETE", LEASE.path("kube-node-lease", node))

    def stop(self) -> None:
        """Nothing of the control plane is the lab's."""


def _absolute(section: Obj, folder: Path) -> Obj:
    """The same with the paths of its files absolute."""
    found = copy.deepcopy(section)
    for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if found.get(key):
            found[key] = str((folder / found[key]).absolute())
    return found

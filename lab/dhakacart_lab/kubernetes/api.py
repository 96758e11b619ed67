# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write the lab's Kubernetes objects from lab code: plain blocking HTTP with a deadline."""

from __future__ import annotations

import base64
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..layout import LabError
from .access import Access, read_kubeconfig
from .errors import ApiError
from .kinds import BY_PLURAL, BY_TYPE, Kind, Obj
from .registry import MERGE_PATCH

DEADLINE = 5.0  # seconds a request may take


class Api:
    """The lab's API server, asked as its administrator.

    Resources are named by their plural ("secrets", "deployments"). Raises ApiError for a refusal (``code`` 404, 409, …)
    and LabError where the server cannot be reached.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None, *, deadline: float = DEADLINE) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._deadline = deadline
        self._access: tuple[float, Access] | None = None

    def _known(self) -> Access:
        """What the kubeconfig says now; a TLS context is not made anew for each request."""
        path = self._kubeconfig
        changed = path.stat().st_mtime if path.exists() else 0.0
        if self._access is None or self._access[0] != changed:
            self._access = changed, read_kubeconfig(path, self._context)
        return self._access[1]

    def _connect(self, access: Access) -> http.client.HTTPConnection:
        netloc = urlsplit(access.server).netloc
        if access.tls:
            return http.client.HTTPSConnection(netloc, timeout=self._deadline, context=access.tls)
        return http.client.HTTPConnection(netloc, timeout=self._deadline)

    def get(self, resource: str, name: str, *, namespace: str | None = None) -> Obj:
        return self.request("GET", self._path(resource, namespace, name))

    def list(self, resource: str, *, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Obj]:
        """The objects that match both selectors; of all namespaces where none is given."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        found = self.request("GET", self._path(resource, namespace), query=query)
        items: list[Obj] = found["items"]
        return items

    def create(self, obj: Obj) -> Obj:
        """Create an object of whatever kind it says it is."""
        return self.request("POST", self._kind(obj).path(obj["metadata"].get("namespace")), obj)

    def replace(self, obj: Obj) -> Obj:
        """Put the object in place of the present one, whatever changed meanwhile."""
        meta = {key: value for key, value in obj["metadata"].items() if key not in ("resourceVersion", "uid")}
        path = self._kind(obj).path(meta.get("namespace"), meta["name"])
        return self.request("PUT", path, {**obj, "metadata": meta})

    def patch(
        self, resource: str, name: str, patch: Any, *, namespace: str | None = None, content_type: str = MERGE_PATCH
    ) -> Obj:
        """A JSON merge patch, or the type of patch given."""
        return self.request("PATCH", self._path(resource, namespace, name), patch, content_type=content_type)

    def delete(self, resource: str, name: str, *, namespace: str | None = None, grace: int | None = None) -> Obj:
        query = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        return self.request("DELETE", self._path(resource, namespace, name), query=query)

    def secret(self, name: str, *, namespace: str) -> dict[str, str]:
        """The values of a Secret, decoded."""
        data = self.get("secrets", name, namespace=namespace).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def patch_secret(self, name: str, values: dict[str, str], *, namespace: str) -> Obj:
        """Set some values of a Secret; the others stay."""
        return self.patch("secrets", name, {"stringData": values}, namespace=namespace)

    @staticmethod
    def _kind(obj: Obj) -> Kind:
        try:
            return BY_TYPE[obj["apiVersion"], obj["kind"]]
        except KeyError:
            raise LabError(
                f"{obj.get('apiVersion')} {obj.get('kind')}: the lab's Kubernetes has no such kind"
            ) from None

    @staticmethod
    def _path(resource: str, namespace: str | None, name: str | None = None) -> str:
        if resource not in BY_PLURAL:
            raise LabError(f"{resource}: the lab's Kubernetes has no such resource")
        return BY_PLURAL[resource].path(namespace, name)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """One request; its JSON answer."""
        access = self._known()
        connection = self._connect(access)
        asked = urlencode({key: value for key, value in (query or {}).items() if value})
        headers = {**access.headers, "Content-Type": content_type}
        try:
            connection.request(
                method, f"{path}?{asked}" if asked else path, None if body is None else json.dumps(body), headers
            )
            answer = connection.getresponse()
            code, raw = answer.status, answer.read()
            found = _decoded(code, raw)
        except (OSError, http.client.HTTPException, ValueError) as error:
            what, why = f"the Kubernetes API at {urlsplit(access.server).netloc}", str(error) or type(error).__name__
            raise LabError(f"{what} did not answer ({why}); remedy: runbook lab up") from None
        finally:
            connection.close()
        if code >= 400:
            raise ApiError(code, found.get("reason", ""), found.get("message", ""))
        result: Obj = found
        return result


def _decoded(code: int, raw: bytes) -> Obj:
    """The JSON of an answer; a refusal may be plain text, as for a path that nothing serves."""
    try:
        found: Obj = json.loads(raw)
    except ValueError:
        if code < 400:
            raise
        return {"message": raw.decode(errors="replace").strip()}
    return found

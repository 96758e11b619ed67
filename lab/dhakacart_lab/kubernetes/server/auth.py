# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what he may: a bearer token of the administrator, of a reader, or nobody."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from ..errors import ApiError
from ..kinds import SECRET, Kind

ADMIN, READER, ANONYMOUS = "lab-admin", "lab-readonly", "system:anonymous"
OPEN_PATHS = {"/version", "/healthz", "/livez", "/readyz"}
READING = {"get", "list", "watch"}


def user(header: str, secret: Callable[[str], str]) -> str:
    """The user of an Authorization header; ApiError 401 for a token that is not known."""
    if not header:
        return ANONYMOUS
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer":
        for credential, name in (("kube-admin-token", ADMIN), ("kube-readonly-token", READER)):
            if hmac.compare_digest(token.strip().encode(), secret(credential).encode()):
                return name
    raise ApiError(401, "Unauthorized", "Unauthorized")


def authorize_path(who: str, path: str) -> None:
    """Discovery and version are for known users; health and version for everybody."""
    readable = path.split("/")[1] in ("api", "apis", "openapi")
    if path not in OPEN_PATHS and (who == ANONYMOUS or (who == READER and not readable)):
        raise ApiError(403, "Forbidden", f'forbidden: User "{who}" cannot get path "{path}"', empty_details=True)


def authorize(who: str, verb: str, kind: Kind, namespace: str, name: str, subresource: str) -> None:
    """Raise ApiError 403, in the words of RBAC, unless ``who`` may do ``verb``."""
    if who == ADMIN or (who == READER and verb in READING and kind != SECRET and subresource != "exec"):
        return
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    subject = f'{kind.qualified} "{name}" is forbidden' if name else f"{kind.qualified} is forbidden"
    namespace = namespace or (name if kind.plural == "namespaces" else "")  # real: a namespace is in itself
    scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = f'{subject}: User "{who}" cannot {verb} resource "{resource}" in API group "{kind.group}" {scope}'
    raise ApiError(403, "Forbidden", message, kind=kind, name=name)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the simulated server's schema of types from a real server's OpenAPI document.

``PYTHONPATH=lab python -m tests.contract.conformance.draw_schema KUBECONFIG`` writes ``schema.json`` beside
``dhakacart_lab/kubernetes/schema.py``, which says what its entries mean.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dhakacart_lab.kubernetes import schema
from dhakacart_lab.kubernetes.kinds import KINDS

from .cases import wires

ROOT = "io.k8s."
META = "apimachinery.pkg.apis.meta.v1"
GROUPS = {"networking.k8s.io": "networking", "discovery.k8s.io": "discovery", "coordination.k8s.io": "coordination"}
GROUPS |= {"rbac.authorization.k8s.io": "rbac", "": "core"}
EXTRA = ("api.autoscaling.v1.Scale", "api.policy.v1.Eviction", "api.events.v1.Event", f"{META}.DeleteOptions")
NAMES = {
    f"{META}.Time": "time",
    f"{META}.MicroTime": "microtime",
    f"{META}.FieldsV1": "any",
    "apimachinery.pkg.api.resource.Quantity": "quantity",
    "apimachinery.pkg.util.intstr.IntOrString": "intOrString",
    "apimachinery.pkg.runtime.RawExtension": "any",
}
SCALARS = {"boolean": "bool", "number": "number"}


class Drawing:
    """Types by their short names; one that is taken gets its group and version, too."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._taken: dict[str, str] = {}
        self._left: list[str] = []
        self.types: dict[str, Any] = {}

    def add(self, roots: list[str]) -> None:
        self._left += roots
        drawn: set[str] = set()
        while self._left:
            name = self._left.pop(0)
            if name not in drawn:
                drawn.add(name)
                self.types[self._short(name)] = self._type(self._definitions[ROOT + name])

    def _short(self, name: str) -> str:
        short = name.rpartition(".")[2]
        if self._taken.setdefault(short, name) != name:
            short = ".".join(name.split(".")[-3:])
        return short

    def _type(self, definition: dict[str, Any]) -> dict[str, Any]:
        fields = {name: self._spec(found) for name, found in sorted(definition.get("properties", {}).items())}
        entry: dict[str, Any] = {"fields": fields}
        if required := definition.get("required"):
            entry["required"] = sorted(required)
        if definition.get("x-kubernetes-map-type") == "atomic":
            entry["atomic"] = True
        return entry

    def _spec(self, found: dict[str, Any]) -> Any:
        if "$ref" in found:
            name = found["$ref"].removeprefix(f"#/definitions/{ROOT}")
            if name in NAMES:
                return NAMES[name]
            self._left.append(name)
            return "@" + self._short(name)
        kind = found.get("type")
        if kind == "array":
            return self._list(found)
        if kind == "object" and "additionalProperties" in found:
            atomic = {"atomic": True} if found.get("x-kubernetes-map-type") == "atomic" else {}
            return {"map": self._spec(found["additionalProperties"]), **atomic}
        if kind == "integer":
            return found.get("format", "int64")
        if kind == "string":
            return "bytes" if found.get("format") == "byte" else "string"
        return SCALARS.get(kind or "", "any")

    def _list(self, found: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"list": self._spec(found["items"])}
        strategy = found.get("x-kubernetes-patch-strategy", "")
        if key := found.get("x-kubernetes-patch-merge-key"):
            result["key"] = key
        for word, name in (("merge", "merge"), ("retainKeys", "retain")):
            if word in strategy:
                result[name] = True
        if found.get("x-kubernetes-list-type") in ("map", "set"):
            result["type"] = found["x-kubernetes-list-type"]
        if keys := found.get("x-kubernetes-list-map-keys"):
            result["keys"] = keys
        return result


def main() -> None:
    wire, _ = wires(Path(sys.argv[1]))
    version = wire.send("GET", "/version").body["gitVersion"]
    drawing = Drawing(wire.send("GET", "/openapi/v2").body["definitions"])
    roots = [f"api.{GROUPS.get(kind.group, kind.group)}.{kind.version}.{kind.kind}" for kind in KINDS]
    drawing.add([*roots, *EXTRA])
    found = {
        "from": f"Kubernetes {version} (Apache-2.0), its /openapi/v2",
        "types": dict(sorted(drawing.types.items())),
    }
    text = json.dumps(found, separators=(",", ":")).replace('},"', '},\n"')
    Path(schema.__file__).with_name("schema.json").write_text(text + "\n", encoding="utf-8")
    print(f"{len(drawing.types)} types of {version}")  # noqa: T201


if __name__ == "__main__":
    main()

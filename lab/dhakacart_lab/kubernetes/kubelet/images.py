# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that can be run here, as what they start: there is no registry and nothing is pulled."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..kinds import Obj


@dataclass(frozen=True)
class Image:
    """What an image brings: its entrypoint and environment."""

    entrypoint: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


BACKEND_VERSIONS = ("1.0.0", "1.1.0")
BACKEND = (sys.executable, "-m", "dhakacart_lab.shop")
REPOSITORIES = ("dhakacart/backend", "dhakacart/busybox")


def find(reference: str) -> Image | None:
    """The image of a reference such as dhakacart/backend:1.0.0; None where no registry would have it."""
    repository, _, tag = reference.removeprefix("docker.io/").partition(":")
    if repository == "dhakacart/busybox":
        return Image()
    if repository == "dhakacart/backend" and tag in BACKEND_VERSIONS:
        return Image(BACKEND, {"APP_VERSION": tag, "NODE_ENV": "production"})
    return None


def refusal(reference: str) -> str:
    """What a registry answers to a pull of an image it does not have."""
    repository, _, tag = reference.partition(":")
    if repository.removeprefix("docker.io/") in REPOSITORIES:
        return f'rpc error: code = NotFound desc = failed to pull and unpack image "{reference}": {tag}: not found'
    why = "pull access denied, repository does not exist or may require authorization"
    return f'rpc error: code = Unknown desc = failed to pull and unpack image "{reference}": {why}'


def command_of(image: Image, container: Obj, env: Mapping[str, str]) -> list[str]:
    """The argv of a container; command replaces the entrypoint, $(NAME) is replaced by the variable."""
    command, args = container.get("command") or list(image.entrypoint), container.get("args") or []
    return [expand(str(part), env) for part in [*command, *args]]


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; $$ stands for $, an unknown name stays."""
    out, rest = [], text
    while rest:
        before, dollar, rest = rest.partition("$")
        out.append(before)
        if rest.startswith("$"):
            out.append("$")
            rest = rest[1:]
        elif rest.startswith("(") and ")" in rest:
            name, _, rest = rest[1:].partition(")")
            out.append(env.get(name, f"$({name})"))
        elif dollar:
            out.append("$")
    return "".join(out)

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that this run can read itself: what must be in no record and in no output, whatever it looks like."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.dhakacart.runbooks.plugins.module_utils.core.redaction import secret_name, secret_variables

# Variable that names a file of credentials -> how its secrets are found.
CREDENTIALS = (
    "dhakacart_db_passfile",
    "dhakacart_redis_token_file",
    "dhakacart_kubeconfig",
    "dhakacart_aws_credentials_file",
)
# yaml in C reads a kubeconfig ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def known_values(files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> list[str]:
    """Secrets in plain text, from files of credentials and from variables of the environment named like secrets.

    :param files: variable of the inventory -> path; a file that cannot be read or understood gives nothing: the
        preflight has said so, and what nobody could read here cannot have got into a result either.
    :param environ: None is the environment of this process.
    """
    found = secret_variables(os.environ if environ is None else environ)
    for variable, path in files.items():
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
            found += [value for value in _READERS[variable](text) if value]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, configparser.Error):
            continue
    return found


def _passfile(text: str) -> Iterator[str]:
    for row in text.splitlines():
        fields = re.split(r"(?<!\\):", row)
        if not row.startswith("#") and len(fields) == 5:
            yield re.sub(r"\\(.)", r"\1", fields[4])


def _token(text: str) -> Iterator[str]:
    yield text.strip()


def _aws_credentials(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    for profile in parser.values():
        yield from (value for name, value in profile.items() if secret_name(name))


def _kubeconfig(text: str) -> Iterator[str]:
    for entry in yaml.load(text, Loader=_Loader)["users"]:  # noqa: S506 - both loaders are the safe one
        yield from _leaves(entry["user"])


def _leaves(user: Any) -> Iterator[str]:
    for name, value in user.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        elif isinstance(value, str) and name in ("token", "password", "client-key-data", "id-token", "refresh-token"):
            yield value


_READERS: dict[str, Callable[[str], Iterator[str]]] = dict(
    zip(CREDENTIALS, (_passfile, _token, _kubeconfig, _aws_credentials), strict=True)
)

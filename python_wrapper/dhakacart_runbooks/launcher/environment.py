# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a person's environment variables a run gets, and by which way. Pure.

ansible-runner writes the whole environment of the child into ``artifacts/<ident>/command``. So the child starts with
next to nothing, and gets the rest, secret or not, through a FIFO that it reads once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

# What a process needs to start at all: readable by everybody who may list this user's processes.
PLAIN = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TERM", "TZ", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH"})
PLAIN_PREFIXES = ("LC_",)
# How Python finds what this process found.
PYTHON = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUTF8"})
PRIVATE = frozenset(
    {
        *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "KUBECONFIG", "NO_COLOR", "REDISCLI_AUTH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *(f"{scheme}_{'proxy'}" for scheme in ("http", "https", "no", "all", "ftp")),
        *(f"{scheme}_{'PROXY'}" for scheme in ("HTTP", "HTTPS", "NO", "ALL", "FTP")),
    }
)
PRIVATE_PREFIXES = ("AWS_", "PG", "K8S_AUTH_", "VAULT_", "SOPS_", "DHAKACART_", "ANSIBLE_", "XDG_", "KRB5")
# What runner tells its callback plugin; a person's own value must not come in between.
RUNNERS_OWN = frozenset(
    {
        *("AWX_ISOLATED_DATA_DIR", "RUNNER_OMIT_EVENTS", "RUNNER_ONLY_FAILED_EVENTS", "ORIGINAL_STDOUT_CALLBACK"),
        *("ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_RETRY_FILES_ENABLED"),
    }
)
_SECRET_NAME = re.compile(
    r"(?i)(password|passwd|secret|token|auth$|api_?key|access_key|private_key|credential(?!s_file))"
)
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


@dataclass(frozen=True)
class Handed:
    """What the child gets.

    :param plain: in its environment from the start, and in ansible-runner's ``command`` file.
    :param private: through the FIFO.
    :param secrets: values of ``private`` that must not be seen in any event.
    """

    plain: dict[str, str]
    private: dict[str, str]
    secrets: tuple[str, ...]


def hand_over(environ: Mapping[str, str], settings: Mapping[str, str], further: Collection[str] = ()) -> Handed:
    """Divide an environment.

    :param settings: variables that the launcher sets; they win.
    :param further: names that are handed over as well, e.g. one that an inventory looks up.
    """
    plain = {name: value for name, value in environ.items() if _is_plain(name)}
    private = {
        name: value
        for name, value in environ.items()
        if name not in plain
        and name not in settings
        and name not in RUNNERS_OWN
        and (name in PRIVATE or name in further or name.startswith(PRIVATE_PREFIXES))
    }
    secrets = {value for name, value in private.items() if is_secret(name, value)}
    secrets |= {password for value in private.values() for password in _URL_PASSWORD.findall(value)}
    return Handed({**plain, **settings}, private, tuple(sorted(secrets)))


def _is_plain(name: str) -> bool:
    return name in PLAIN or name in PYTHON or name.startswith(PLAIN_PREFIXES)


def is_secret(name: str, value: str) -> bool:
    """Whether a variable holds a secret: by its name, or as a URL with a password. The name of a file is none."""
    named = _SECRET_NAME.search(name) and not name.endswith(("_FILE", "_PATH", "_SOCK"))
    return bool(value) and bool(named or _URL_PASSWORD.search(value))

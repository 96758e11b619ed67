# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner's callback plugin, which writes each event into a file for an instant: without known secrets.

Loaded by Ansible in place of runner's, by its name. It imports nothing of this package, and of ansible-runner only that
file: the whole of it takes 0.2 s.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

DOCUMENTATION = """
    name: awx_display
    short_description: Playbook event dispatcher for ansible-runner, without secrets
    description:
      - The callback plugin that ansible-runner needs, with known secrets taken out of what it writes.
    type: stdout
    extends_documentation_fragment:
      - default_callback
    requirements:
      - Set as stdout in configuration
"""


def _runners() -> ModuleType:
    """Runner's plugin, from its file."""
    found = importlib.util.find_spec("ansible_runner")
    assert found is not None
    assert found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "display_callback/callback/awx_display.py"
    specification = importlib.util.spec_from_file_location("dhakacart_awx_display", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def without(data: Any, tokens: Mapping[str, str]) -> Any:
    """``data``, as in JSON, with each secret replaced by its token wherever it stands in a text or a key."""
    if isinstance(data, str):
        for secret, token in tokens.items():
            if secret in data:
                data = data.replace(secret, token)
        return data
    if isinstance(data, dict):
        return {without(key, tokens): without(value, tokens) for key, value in data.items()}
    if isinstance(data, (list, tuple, set)):
        return [without(value, tokens) for value in data]
    return data


def _writer(runners: ModuleType, tokens: Mapping[str, str]) -> Any:
    class Writer(runners.IsolatedFileWrite):  # type: ignore[misc, name-defined]
        """Runner's, for events that hold no known secret."""

        def set(self, key: str, value: Any) -> None:
            super().set(key, without(value, tokens))

    return Writer()


_module = _runners()
CallbackModule = _module.CallbackModule
if _tokens := getattr(sys.modules["__main__"], "TOKENS", None):
    _module.event_context.cache = _writer(_module, _tokens)

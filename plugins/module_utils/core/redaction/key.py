# SPDX-License-Identifier: BSD-2-Clause
"""The key that makes tokens comparable among the records of one folder, and worthless to whoever has only a record."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

KEY_FILE = ".redaction-key"
KEY_BYTES = 32


def key_of(root: Path) -> bytes:
    """The key of all records under ``root``, made where there is none: mode 0600, and whole or not at all.

    :raises OSError: it cannot be read or made, or is no such key.
    """
    path = root / KEY_FILE
    try:
        return _read(path)
    except FileNotFoundError:
        root.mkdir(parents=True, exist_ok=True)
    draft = root / f"{KEY_FILE}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another run was quicker: its key is the key
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii", errors="replace").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise OSError(0, "it is no redaction key", str(path))
    return key

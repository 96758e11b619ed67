# SPDX-License-Identifier: GPL-3.0-or-later
"""Find or build the programs of the control plane, and say what they are: before a lab or a test needs them."""

from __future__ import annotations

import sys

from ...layout import LabError
from .binaries import ensure, find_binaries


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """``--find`` builds nothing."""
    try:
        found = find_binaries() if sys.argv[1:] == ["--find"] else ensure(tell)
    except LabError as error:
        print(error, file=sys.stderr)
        return 4
    for name, program in found.programs.items():
        print(f"{name:24} {program.version:10} {program.path} ({program.source})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what a real control plane answers: ``python -m tests.contract.conformance.record KUBECONFIG [SCENARIO …]``.

The kubeconfig has the contexts ``lab`` (an administrator) and ``lab-readonly``, as a lab's own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .cases import GOLDEN, SCENARIOS, wires
from .scenario import run


def main() -> None:
    wire, reader = wires(Path(sys.argv[1]))
    version = wire.send("GET", "/version").body["gitVersion"]
    failed = 0
    for name in sys.argv[2:] or SCENARIOS:
        try:
            steps = run(name, wire, reader)
        except AssertionError as error:
            print(f"{name}: {error}")  # noqa: T201
            failed += 1
            continue
        text = json.dumps({"recorded from": version, "steps": steps}, indent=1, ensure_ascii=False, sort_keys=True)
        (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {len(steps)} steps")  # noqa: T201
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

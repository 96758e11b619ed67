# SPDX-License-Identifier: GPL-3.0-or-later
"""The component ``aws``: ``python -m dhakacart_lab.aws.server <lab folder>``."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path, PurePath
from types import FrameType

from ..layout import LabError, Layout, read_layout


def prepare_moto(layout: Layout) -> None:
    """Settings that moto reads when it is imported. They halve its start and its memory."""
    os.environ["MOTO_ACCOUNT_ID"] = layout.account
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ["MOTO_ACM_VALIDATION_WAIT"] = "0"  # DhakaCart's certificates were validated long ago
    import moto.utilities.utils as utilities

    load = utilities.load_resource
    own = (layout.region, layout.dr_region)

    def load_own_regions(resource: str) -> object:
        # moto.ec2 loads which instance types every region of the world offers: 50 MB.
        if "instance_type_offerings" in resource and PurePath(resource).name.split(".")[0] not in own:
            return []
        return load(resource)

    utilities.load_resource = load_own_regions


def main(folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    layout = read_layout(folder)
    prepare_moto(layout)
    from .service import Service  # after prepare_moto, on purpose

    service = Service(layout)

    def end(_signal: int, _frame: FrameType | None) -> None:
        # Every change was written when it was made: there is nothing to finish.
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    service.serve()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except LabError as problem:
        sys.exit(f"aws: {problem}")

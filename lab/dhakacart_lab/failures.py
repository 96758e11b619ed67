# SPDX-License-Identifier: GPL-3.0-or-later
"""What the libraries under the lab raise when a part of it dies meanwhile, as one line that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from .kubernetes.errors import ApiError
from .layout import LabError


@contextmanager
def as_lab_errors() -> Iterator[None]:
    """Turn their errors into a LabError."""
    try:
        yield
    except (psycopg.Error, psutil.Error, BotoCoreError, ClientError, ApiError, OSError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise LabError(f"a part of the lab failed: {said}; remedy: runbook lab up, runbook lab heal") from error

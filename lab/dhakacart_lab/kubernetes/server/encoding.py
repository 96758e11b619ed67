# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as JSON. The text of an object is kept while its revision stands: most of a large list is as it was before."""

from __future__ import annotations

import json

from ..kinds import Obj

KEPT = 12_000  # objects, of about 2 KB each


class ListEncoder:
    """Encodes List objects."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str, str], str] = {}

    def encode(self, body: Obj) -> bytes:
        head = json.dumps({key: value for key, value in body.items() if key != "items"}, separators=(",", ":"))
        items = ",".join(self._text(body["apiVersion"], item) for item in body["items"])
        return f'{head[:-1]},"items":[{items}]}}'.encode()

    def _text(self, api_version: str, item: Obj) -> str:
        meta = item["metadata"]
        key = (api_version, meta["uid"], meta["resourceVersion"])
        if (known := self._texts.get(key)) is not None:
            return known
        text = json.dumps(item, separators=(",", ":"))
        if len(self._texts) >= KEPT:
            self._texts.clear()
        self._texts[key] = text
        return text

# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of an incident as pages: Markdown, one self-contained HTML page, and the draft of a post-mortem.

``record.read`` turns a folder into a ``model.Record``; ``markdown`` and ``html`` turn a ``Record`` into text and touch
no file; ``writing`` puts the text into files. ``page.render_page`` is the page that others may fill, too.
"""

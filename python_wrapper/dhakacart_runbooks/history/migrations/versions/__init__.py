# SPDX-License-Identifier: GPL-3.0-or-later
"""One file for each revision of the schema; a published one is never changed."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: a DhakaCart on one machine that can be broken on purpose."""

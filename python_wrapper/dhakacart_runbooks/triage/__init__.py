# SPDX-License-Identifier: GPL-3.0-or-later
"""All read-only probes in one go: what is broken, why, and the safest next command."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's runbooks from the command line and from Python."""

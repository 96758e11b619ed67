# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab can break, each with the cause that a good investigation names."""

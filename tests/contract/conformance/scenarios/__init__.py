# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of both servers, by subject."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""What kube-controller-manager and kube-scheduler do, for the kinds of the lab."""

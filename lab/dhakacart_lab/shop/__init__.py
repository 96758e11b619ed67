# SPDX-License-Identifier: GPL-3.0-or-later
"""DhakaCart's backend as a process: ``python -m dhakacart_lab.shop``.

It answers on the paths, and with the JSON, headers, metrics and log lines, of the platform's Node.js backend, so that
checks and runbooks cannot tell them apart. Where it differs, the module concerned says so and why.
"""

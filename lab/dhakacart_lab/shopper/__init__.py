# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's customers: ``python -m dhakacart_lab.shopper <lab folder>`` keeps placing orders and writes down which were
acknowledged, so that an outage and a loss are measured from where a customer stands."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in which the simulated server is known to differ from the real one, by scenario and step, with the reason.

The suite fails for an answer that differs and is not here, and for one that is here and no longer differs.
"""

from __future__ import annotations

WORDS = "another JSON or YAML decoder: same code and reason, other words"
STRATEGIC = (
    "the words of Go's converter for a value of the wrong type in a strategic merge patch; code and cause are equal"
)
GO_DIFF = "the real message goes on with a difference of two Go structs, line by line"
TIME = "an entry of managedFields that own nothing new has no time in the real record; ours has the time of the write"
FEWER_COLUMNS = "kubectl's tables: name, age and the columns most looked at, not the wide ones"
WARNING = "a warning of no consequence: deprecations and hints are not simulated"
SCHEMA = (
    "OpenAPI and aggregated discovery are not served: neither our code, the client nor kubernetes.core asks for them"
)

DEVIATIONS: dict[str, dict[int, str]] = {
    "apply_config_maps": {13: TIME},
    "apply_deployments": {10: TIME, 11: TIME},
    "apply_refusals": {
        5: "an empty map that is applied is kept as {}; the real server leaves it out, and owns it alike"
    },
    "pods_filled_in": {7: WARNING},
    "others_filled_in": {22: WARNING},
    "discovery": {
        0: "version: no emulation and compatibility versions",
        2: "the groups stand in another order",
    },
    "aggregated_discovery": {0: SCHEMA, 1: SCHEMA},
    "schemas": {0: SCHEMA, 1: SCHEMA, 2: SCHEMA},
    "pages": {9: WORDS},
    "watches": {14: "the old /watch/ paths are not served; clients use the watch parameter"},
    "other_views": dict.fromkeys((10, 11, 12, 13, 15, 16, 18), FEWER_COLUMNS),
    "patches_that_are_none": {14: WORDS, 23: STRATEGIC, 25: STRATEGIC, 29: WORDS},
    "access": {25: "a reader who asks for a resource that does not exist hears 404, not that he may not"},
    "names": {10: "of a bad generateName only the name made of it is refused, not the prefix as well"},
    "fields_that_are_fixed": {9: GO_DIFF, 10: GO_DIFF},
}

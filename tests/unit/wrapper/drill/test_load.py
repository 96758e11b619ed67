# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of drills: the sound ones of the collection, and every way in which one can be malformed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from dhakacart_lab.faults.catalogue import FAULTS
from dhakacart_runbooks.catalogue import Catalogue
from dhakacart_runbooks.collection import Collection
from dhakacart_runbooks.drill import load
from dhakacart_runbooks.drill.check import agree, problems
from dhakacart_runbooks.drill.load import MalformedDrill, read
from dhakacart_runbooks.drill.scenario import Scenario
from dhakacart_runbooks.errors import ExitCode, InfrastructureError, UsageError

from .doubles import scenario

ROOT = Path(__file__).resolve().parents[4]
SOUND: dict[str, Any] = scenario().model_dump(mode="json")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(Collection.find(ROOT))


def write(folder: Path, content: Any, name: str = "database-primary-killed.yml") -> Path:
    path = folder / name
    text = content if isinstance(content, str | bytes) else yaml.safe_dump(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in SOUND.items() if name != key}


def test_every_fault_of_the_lab_has_a_drill_and_every_drill_is_sound(catalogue: Catalogue) -> None:
    paths = load.files(ROOT / "drills")
    assert problems(paths, catalogue) == []
    assert {step.fault for path in paths for step in read(path).faults} == set(FAULTS)


def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read(write(tmp_path, SOUND)) == scenario()


BAD: dict[str, tuple[Any, str]] = {
    "empty": ("", "is no mapping of keys to values"),
    "a list": ("- a\n- b\n", "is no mapping"),
    "a word": ("drill", "is no mapping"),
    "not YAML": ("name: [unclosed\n", "is not valid YAML (line 2, column 1"),
    "a tab": ("name: x\n\ttitle: y\n", "is not valid YAML (line 2"),
    "not UTF-8": (b"name: \xff\xfe\n", "is not UTF-8"),
    "binary": (b"\x00\x01\x02", "is not valid YAML"),
    "a Python object": ("name: !!python/object/apply:os.system ['true']\n", "is not valid YAML"),
    "too large": ("#" * 70_000, "is larger than 64 KiB"),
    "deep nesting": ("[" * 5_000, "is not valid YAML"),
    "a key twice": ("name: a\nname: b\n", "key 'name' stands twice"),
    "an unhashable key": ("? [a]\n: b\n", "is not valid YAML"),
    "a mistyped key": ({**without("expected_cause"), "expected_cuase": "primary_down"}, "key 'expected_cause'"),
    "an extra key": ({**SOUND, "lease_second": 900}, "did you mean lease_seconds?"),
    "an extra key nobody knows": ({**SOUND, "zzz": 1}, "remove it; known: name, title"),
    "a missing key": (without("runbook"), "key 'runbook': field required; remedy: add runbook: the slug"),
    "no cause": (without("expected_cause"), "add expected_cause"),
    "no word on the branch": (without("expected_branch"), "add expected_branch"),
    "a number as text": ({**SOUND, "lease_seconds": "900"}, "key 'lease_seconds': input should be a valid number, got"),
    "a truth as text": ({**SOUND, "customers_notice": "yes please"}, "key 'customers_notice'"),
    "a truth as number": ({**SOUND, "customers_notice": 1}, "input should be a valid boolean, got 1"),
    "a lease below zero": ({**SOUND, "lease_seconds": -1}, "greater than 0, got -1"),
    "a lease without end": ({**SOUND, "lease_seconds": float("inf")}, "less than or equal to 3600"),
    "a lease that is no number": ({**SOUND, "lease_seconds": float("nan")}, "key 'lease_seconds'"),
    "no objective": ({**SOUND, "objectives": {"rto_seconds": 300}}, "key 'objectives.rpo_seconds'"),
    "a mistyped objective": (
        {**SOUND, "objectives": {"rto_seconds": 300, "rpo_seconds": 60, "rto_second": 1}},
        "did you mean rto_seconds?",
    ),
    "objectives as a list": ({**SOUND, "objectives": [300, 60]}, "key 'objectives'"),
    "no fault": ({**SOUND, "faults": []}, "key 'faults': tuple should have at least 1 item"),
    "a fault as a word": ({**SOUND, "faults": ["primary-killed"]}, "key 'faults.0'"),
    "a fault twice": ({**SOUND, "faults": [{"fault": "a-b"}, {"fault": "a-b"}]}, "one fault can be there only once"),
    "a mistyped fault key": ({**SOUND, "faults": [{"fualt": "primary-killed"}]}, "key 'faults.0.fault'"),
    "a delay below zero": ({**SOUND, "faults": [{"fault": "a", "after_seconds": -1}]}, "key 'faults.0.after_seconds'"),
    "a delay beyond the lease": (
        {**SOUND, "lease_seconds": 5, "faults": [{"fault": "a", "after_seconds": 9}]},
        "key 'lease_seconds': ends before the last fault",
    ),
    "an unknown section": ({**SOUND, "sections": ["imediate", "investigation"]}, "did you mean immediate?"),
    "an unknown precondition": ({**SOUND, "preconditions": ["lab-wel"]}, "did you mean lab-well?"),
    "sections in the wrong order": (
        {**SOUND, "sections": ["resolution", "investigation", "verification"]},
        "in this order",
    ),
    "no investigation": ({**SOUND, "sections": ["immediate"]}, "without investigation no cause is named"),
    "a resolution without branch": ({**SOUND, "expected_branch": None}, "expected_branch is null"),
    "a branch without resolution": ({**SOUND, "sections": ["investigation"]}, "resolution is not among the sections"),
    "a resolution that nothing verifies": ({**SOUND, "sections": ["investigation", "resolution"]}, "add verification"),
    "a name with spaces": ({**SOUND, "name": "Primary Killed"}, "key 'name'"),
    "a name that is a path": ({**SOUND, "name": "../etc"}, "key 'name'"),
    "another name than the file": ({**SOUND, "name": "database-other"}, "the file is called"),
    "a title of two lines": ({**SOUND, "title": "one\ntwo"}, "key 'title'"),
    "a title that is a date": ("name: x\ntitle: 2026-01-01\n", "key 'title': input should be a valid string"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_malformed_drill_is_one_line_that_names_the_file_the_key_and_the_remedy(case: str, tmp_path: Path) -> None:
    content, words = BAD[case]
    path = write(tmp_path, content)
    with pytest.raises(MalformedDrill) as caught:
        read(path)
    line = str(caught.value)
    assert words in line
    assert line.startswith(f"{path}: ")
    assert "; remedy: " in line
    assert "\n" not in line
    assert len(line) < 400 + len(str(path))
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"runbook": "database-failur"}, "key 'runbook'"),
        ({"faults": [{"fault": "primary-kiled"}]}, "did you mean primary-killed?"),
        ({"expected_cause": "primary_frozen"}, "the fault primary-killed says 'primary_down'"),
        ({"expected_branch": "restore"}, "the fault primary-killed says 'failover'"),
    ],
)
def test_a_drill_that_disagrees_with_the_lab_or_the_runbooks_is_named(
    changes: dict[str, Any], words: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    path = write(tmp_path, {**SOUND, **changes})
    with pytest.raises(MalformedDrill) as caught:
        agree(read(path), path, catalogue)
    assert words in str(caught.value)


def test_a_mistyped_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean database-primary-killed"):
        load.load("database-primary-kiled", ROOT / "drills")


def test_a_folder_that_is_missing_or_empty_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="cannot be read"):
        load.files(tmp_path / "nowhere")
    with pytest.raises(InfrastructureError, match="holds no drill"):
        load.files(tmp_path)


def test_a_file_that_is_a_folder_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "x.yml").mkdir()
    with pytest.raises(InfrastructureError, match="cannot be read"):
        read(tmp_path / "x.yml")


def test_the_schema_describes_every_key() -> None:
    schema = Scenario.model_json_schema()
    assert set(schema["properties"]) == set(Scenario.model_fields)
    assert all("description" in found or "$ref" in found for found in schema["properties"].values())
    assert schema["additionalProperties"] is False

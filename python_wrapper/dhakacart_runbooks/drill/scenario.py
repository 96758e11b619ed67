# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill is: the content of one file under ``drills/``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=NAME, max_length=60)]
Cause = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Line = Annotated[str, Field(min_length=3, max_length=160, pattern=r"^\S[^\n\r]*$")]
Precondition = Literal["lab-well", "no-fault", "customers-ordering", "standby-in-sync", "leash", "pager-silent"]
SectionName = Literal["immediate", "investigation", "resolution", "verification"]

# What a drill does after the alert, in this order. The alert is always read with `symptoms`.
ORDER: tuple[SectionName, ...] = ("immediate", "investigation", "resolution", "verification")
# Without these a drill could not be ended, or would be blamed for what it did not break.
ALWAYS: tuple[Precondition, ...] = ("no-fault", "leash")
LONGEST_LEASE = 3600


class _Strict(BaseModel):
    """No coercion, no unknown key, no change afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FaultStep(_Strict):
    """One thing to break."""

    fault: Name = Field(description="its name, as `runbook lab faults` lists it")
    after_seconds: float = Field(default=0.0, ge=0, le=600, description="seconds after the one before it")


class Objectives(_Strict):
    """What the platform promises its customers."""

    rto_seconds: float = Field(gt=0, le=86_400, description="from the first failed order to the first that works again")
    rpo_seconds: float = Field(ge=0, le=86_400, description="the span of acknowledged orders that may be lost")


class Scenario(_Strict):
    """One drill."""

    name: Name = Field(description="as the file is called, without .yml")
    title: Line = Field(description="one line that says what happens")
    runbook: Name = Field(description="the slug of the runbook that an engineer would open")
    preconditions: tuple[Precondition, ...] = Field(
        default=("lab-well", "customers-ordering", "standby-in-sync", "pager-silent"),
        strict=False,
        description="what must hold before anything is broken; no-fault and leash are always asked",
    )
    faults: tuple[FaultStep, ...] = Field(min_length=1, max_length=5, strict=False, description="what is broken")
    sections: tuple[SectionName, ...] = Field(
        default=ORDER, min_length=1, strict=False, description="the sections to run, in this order"
    )
    expected_cause: Cause = Field(description="the id of the cause that a good investigation names")
    expected_branch: Name | None = Field(
        description="the resolution branch that recovers it; null where the runbook rightly has none"
    )
    objectives: Objectives
    lease_seconds: float = Field(gt=0, le=LONGEST_LEASE, description="after which the fault ends by itself")
    customers_notice: bool = Field(description="whether customers see an outage")
    endpoints_swapped: bool = Field(
        default=False,
        description="whether the recovery leaves primary and standby behind each other's endpoint;"
        " the verification is then told so, as the page has a person do it",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Scenario:
        positions = [ORDER.index(section) for section in self.sections]
        if positions != sorted(set(positions)):
            raise ValueError(f"sections: each once, in this order: {', '.join(ORDER)}")
        if "investigation" not in self.sections:
            raise ValueError("sections: without investigation no cause is named, and nothing can be scored")
        if self.expected_branch is None and "resolution" in self.sections:
            raise ValueError("sections: resolution is asked for, but expected_branch is null")
        if self.expected_branch is not None and "resolution" not in self.sections:
            raise ValueError("expected_branch: named, but resolution is not among the sections")
        if "resolution" in self.sections and "verification" not in self.sections:
            raise ValueError("sections: a resolution that nothing verifies proves nothing; add verification")
        names = [step.fault for step in self.faults]
        if len(names) != len(set(names)):
            raise ValueError("faults: one fault can be there only once")
        if sum(step.after_seconds for step in self.faults) >= self.lease_seconds:
            raise ValueError("lease_seconds: ends before the last fault is injected")
        return self

    @property
    def recovers(self) -> bool:
        """Whether the runbook is expected to end it."""
        return self.expected_branch is not None

    @property
    def asked(self) -> tuple[Precondition, ...]:
        """The preconditions, with those that are always asked first."""
        return (*ALWAYS, *(condition for condition in self.preconditions if condition not in ALWAYS))

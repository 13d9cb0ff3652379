"""What a soak reports follows from what its load saw."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from proofs.load import Gaps, Load, Reading
from proofs.soak import Phase, Result


def result(**differing: Any) -> Result:
    phases = [
        Phase("no change", 15.0, Gaps({"classic": 0.2, "diskless": 0.9}), []),
        Phase("heap", 60.0, Gaps({"classic": 4.25, "diskless": 1.0}), [20.0, 30.0]),
    ]
    load = cast("Load", SimpleNamespace())
    return Result(load, **{"records": 10, "acked": 10, "phases": phases, **differing})


def test_the_line_sums_it_up() -> None:
    assert result(reading=Reading(lost=0, duplicated=2)).line == (
        "soak: records=10 acked=10 lost=0 duplicated=2 longest_gap_s=4.2 changes=1 broken_claims=0"
    )


@pytest.mark.parametrize(
    ("differing", "passed"),
    [
        ({}, True),
        ({"acked": 9}, False),
        ({"reading": Reading(lost=1)}, False),
        ({"reading": Reading(duplicated=1)}, False),
        ({"broken_claims": ["heap: node-1 is on another machine without a word"]}, False),
    ],
)
def test_a_soak_passes_if_every_record_arrived_once_and_what_was_said_happened(
    differing: dict[str, Any], passed: bool
) -> None:
    assert result(**differing).passed is passed


def test_a_roll_is_compared_with_the_restarts_of_its_nodes() -> None:
    nothing, heap = result().phases
    assert nothing.ratio is None
    assert heap.ratio == pytest.approx(1.2)

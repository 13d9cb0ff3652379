"""The wait of gates and guards."""

import pytest

from inkless_pulumi.core.errors import NotReady
from inkless_pulumi.provider import waiting
from inkless_pulumi.provider.readiness import Waiting
from inkless_pulumi.provider.resource import OperationCancelled
from inkless_pulumi.provider.waiting import wait_for
from tests.unit.provider.memory_cluster import Screen


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_LOOKS", 0)


def wait(answers: list[str | Waiting], screen: Screen, *times: float) -> str:
    looks, clock = iter(answers), iter(times or (0.0,) * 9)
    return wait_for(
        lambda: next(looks),
        600,
        screen.context(),
        meanwhile="waiting for node-1",
        given_up=lambda missing: f"node-1 is not ready: {missing}.",
        clock=lambda: next(clock),
    )


def test_what_is_missing_is_told_until_it_is_there() -> None:
    screen = Screen()
    silent, fenced = Waiting(("it is silent", "and so on")), Waiting(("it is fenced",))
    assert wait([silent, fenced, "ready"], screen, 0, 1, 2.4) == "ready"
    assert screen.lines == [
        "waiting for node-1 (1 s): it is silent",
        "waiting for node-1 (2 s): it is fenced",
    ]


def test_what_goes_on_missing_is_told_every_five_seconds_and_not_at_each_look() -> None:
    screen, silent = Screen(), Waiting(("it is silent",))
    wait([silent] * 5 + ["ready"], screen, 0, 0, 0.4, 3, 5.2, 9)
    assert screen.lines == [
        "waiting for node-1 (0 s): it is silent",
        "waiting for node-1 (5 s): it is silent",
    ]


def test_what_changes_from_look_to_look_is_told_once_a_second() -> None:
    screen = Screen()
    lags = [Waiting((f"{number} records behind",)) for number in (30, 20, 10, 5)]
    wait([*lags, "ready"], screen, 0, 0, 0.2, 0.4, 1.1)
    assert screen.lines == [
        "waiting for node-1 (0 s): 30 records behind",
        "waiting for node-1 (1 s): 5 records behind",
    ]


def test_what_else_is_worth_telling_follows_what_is_missing() -> None:
    screen, clock = Screen(), iter([0.0, 31.0])
    looks = iter([Waiting(("it is silent",)), "ready"])
    wait_for(
        lambda: next(looks),
        600,
        screen.context(),
        meanwhile="waiting for node-1",
        given_up=str,
        besides=lambda waited: f"; {waited:.0f} s are long",
        clock=lambda: next(clock),
    )
    assert screen.lines == ["waiting for node-1 (31 s): it is silent; 31 s are long"]


def test_the_clock_decides_when_to_give_up() -> None:
    answers: list[str | Waiting] = [Waiting(("silent",)), Waiting(("fenced", "it lags")), "ready"]
    with pytest.raises(NotReady, match=r"^node-1 is not ready: fenced; it lags\.$"):
        wait(answers, Screen(), 0.0, 599.0, 600.0)


def test_a_wait_ends_when_the_user_interrupts() -> None:
    screen = Screen()
    screen.cancelled.set()
    with pytest.raises(OperationCancelled):
        wait([Waiting(("silent",))], screen)

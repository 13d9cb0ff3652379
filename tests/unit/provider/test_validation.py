"""Inputs against a model while some of them are unknown, and what their differences are called."""

from typing import Literal

import pytest
from pulumi.provider.experimental.property_value import PropertyValue

from inkless_pulumi.provider.difference import difference
from inkless_pulumi.provider.resource import SettingText, WireModel
from inkless_pulumi.provider.validation import lenient, validate
from inkless_pulumi.provider.wire import UNKNOWN, plain, wire


class Place(WireModel):
    """A nested thing."""

    host_name: str
    """Host."""
    port: int = 80
    """Port."""


class Thing(WireModel):
    """A thing."""

    display_name: str
    """Name."""
    kind: Literal["a", "b"] = "a"
    """Kind."""
    numbers: list[int] = []  # noqa: RUF012
    """Numbers."""
    settings: dict[str, str] = {}  # noqa: RUF012
    """Settings."""
    place: Place | None = None
    """Place."""


def told(given: dict[str, object], *secrets: str) -> list[str]:
    return [str(problem) for problem in validate(Thing, given, secrets).problems]


def test_defaults_are_filled_in_nested_ones_too() -> None:
    validated = validate(Thing, {"displayName": "x", "place": {"hostName": "h"}})
    assert validated.properties == {
        "displayName": "x",
        "kind": "a",
        "numbers": [],
        "settings": {},
        "place": {"hostName": "h", "port": 80},
    }
    assert validated.known["place"] == Place(host_name="h")


@pytest.mark.parametrize(
    ("given", "spelt"),
    [("7d", "7d"), (86400000, "86400000"), (0.5, "0.5"), (False, "false"), (2.0, "2")],
)
def test_a_setting_may_be_a_number_or_a_truth_value(given: object, spelt: str) -> None:
    class Tuned(WireModel):
        """Something with settings."""

        settings: dict[str, SettingText]
        """Settings."""

    assert validate(Tuned, {"settings": {"x": given}}).properties == {"settings": {"x": spelt}}


def test_the_known_parts_of_a_nested_input_are_known_by_their_paths() -> None:
    class Way(WireModel):
        """A way."""

        to: Place
        """Where it leads."""

    given = {"to": {"hostName": UNKNOWN, "port": 443}}
    validated = validate(Way, given)
    assert validated.known == {"to.port": 443}
    assert validated.properties == given


def test_the_known_parts_of_inputs_by_name_are_known_by_these_names() -> None:
    class Map(WireModel):
        """A map."""

        places: dict[str, Place]
        """By name."""

    given = {"places": {"port": {"hostName": "h", "port": UNKNOWN}, "b": {"hostName": "i"}}}
    validated = validate(Map, given)
    assert validated.problems == ()
    parts = {"port": {"host_name": "h"}, "b": {"host_name": "i"}}
    assert validated.known == {"places.*": parts}
    assert validated.properties == given


def test_what_is_wrong_is_absent_from_the_known() -> None:
    given = {"displayName": "x", "kind": "c", "numbers": [1], "more_of": 1}
    validated = validate(Thing, given)
    assert len(validated.problems) == 2
    assert validated.known == {
        "display_name": "x",
        "numbers": [1],
        "settings": {},
        "place": None,
    }
    assert validated.properties == given


def test_an_argument_that_does_not_exist_is_told_though_its_value_is_unknown() -> None:
    (problem,) = told({"displayName": "x", "place": {"hostName": "h", "prot": UNKNOWN}})
    assert problem == 'place.prot: is not an argument; did you mean "port"?'


def test_what_is_unknown_is_absent_from_the_known_and_stays_in_the_properties() -> None:
    given = {"displayName": UNKNOWN, "place": {"hostName": UNKNOWN}, "numbers": [1, UNKNOWN]}
    validated = validate(Thing, given)
    assert validated.problems == ()
    assert validated.known == {"kind": "a", "settings": {}}
    assert validated.properties == {**given, "kind": "a", "settings": {}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "display_name: is required; give it a value"),
        ({"displayName": UNKNOWN, "kind": "c"}, 'kind = "c": is not one of the possible values'),
        ({"displayName": 3}, "display_name = 3: must be a valid string"),
        ({"displayName": "x", "numbers": [1, "y"]}, 'numbers[1] = "y": must be a valid integer'),
        ({"displayName": "x", "numbers": [1.5]}, "numbers[0] = 1.5: must be a valid integer"),
        ({"displayName": "x", "settings": {"a.b": []}}, 'settings["a.b"] = []: must be a valid'),
        ({"displayName": "x", "place": {}}, "place.host_name: is required"),
        ({"displayName": UNKNOWN, "place": {"port": UNKNOWN}}, "place.host_name: is required"),
        (
            {"displayName": "x", "displayNam": "y"},
            'is not an argument; did you mean "display_name"',
        ),
    ],
)
def test_a_problem_names_the_argument_as_python_spells_it(
    given: dict[str, object], expected: str
) -> None:
    (problem,) = told(given)
    assert expected in problem


def test_every_problem_is_told_at_once() -> None:
    assert len(told({"kind": "c", "numbers": "x", "place": {"hostName": 1}})) == 4


def test_a_secret_value_is_not_shown() -> None:
    (problem,) = told({"displayName": ["hunter2"]}, "displayName")
    assert "display_name" in problem
    assert "hunter2" not in problem


def test_old_properties_are_read_as_far_as_they_are_understood() -> None:
    old = {"displayName": "x", "kind": "gone", "numbers": [1], "more": 1, "place": UNKNOWN}
    assert lenient(Thing, old) == {"display_name": "x", "numbers": [1]}


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 3, 2.5, "text", UNKNOWN, [1, [UNKNOWN]], {"a": {"b.c": [None, "x"]}}],
)
def test_a_value_survives_the_wire(value: object) -> None:
    marshalled = PropertyValue.unmarshal(wire(value).marshal())
    assert plain(marshalled) == value
    assert type(plain(marshalled)) is type(value)


def test_a_secret_survives_the_wire_as_one() -> None:
    assert PropertyValue.unmarshal(wire("x", secret=True).marshal()).is_secret
    assert PropertyValue.unmarshal(wire(UNKNOWN, secret=True).marshal()).is_secret


def kinds(old: dict[str, object], new: dict[str, object]) -> dict[str, str]:
    answer = difference(
        old,
        new,
        replaces={"displayName"}.__contains__,
        stale=[],
        delete_before_replace=False,
        stables=[],
    )
    assert answer.changes == bool(answer.detailed_diff)
    return {path: change.kind.name for path, change in answer.detailed_diff.items()}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": None}, {}, {}),
        ({"a": 1}, {"a": 2}, {"a": "UPDATE"}),
        ({"a": 1}, {"a": UNKNOWN}, {"a": "UPDATE"}),
        ({}, {"a": UNKNOWN}, {"a": "ADD"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "DELETE"}),
        ({"a": [1]}, {"a": [2, 3]}, {"a[0]": "UPDATE", "a[1]": "ADD"}),
        ({"a": {"x.y": "1"}}, {"a": {"x.y": "2"}}, {'a["x.y"]': "UPDATE"}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}, {"a.b.c": "DELETE"}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": "UPDATE"}),
        ({"displayName": "x"}, {"displayName": "y"}, {"displayName": "UPDATE_REPLACE"}),
        ({"displayName": "x"}, {"displayName": UNKNOWN}, {"displayName": "UPDATE_REPLACE"}),
        ({"displayName": "x"}, {}, {"displayName": "DELETE_REPLACE"}),
    ],
)
def test_a_difference_is_named_at_its_own_path(
    old: dict[str, object], new: dict[str, object], expected: dict[str, str]
) -> None:
    assert kinds(old, new) == expected

"""Names that are made where the program gives none."""

import re

import pytest
from pulumi.runtime.proto import provider_pb2

from inkless_pulumi.sandbox.standin.naming import (
    AutonamingDisabledError,
    NameRule,
    make_name,
)

Options = provider_pb2.CheckRequest.AutonamingOptions


def test_a_name_is_the_logical_name_and_seven_digits_of_the_seed() -> None:
    name = make_name(NameRule(), "orders", b"seed", None)
    assert re.fullmatch(r"orders-[0-9a-f]{7}", name)
    assert make_name(NameRule(), "orders", b"seed", None) == name
    assert make_name(NameRule(), "orders", b"other", None) != name


def test_a_long_name_keeps_its_digits() -> None:
    name = make_name(NameRule(longest=20), "a-very-long-logical-name", b"seed", None)
    assert len(name) == 20
    assert re.fullmatch(r"a-very-long--[0-9a-f]{7}", name)


def test_a_name_follows_the_clouds_form() -> None:
    assert make_name(NameRule(prefix="alias/"), "key", b"seed", None).startswith("alias/key-")
    assert make_name(NameRule(change=str.lower), "Data", b"seed", None).startswith("data-")


def test_a_name_that_the_stack_enforces_is_taken_as_it_is() -> None:
    options = Options(mode=Options.ENFORCE, proposed_name="Exactly")
    assert make_name(NameRule(change=str.lower), "data", b"", options) == "Exactly"


def test_a_stack_without_automatic_names_wants_them_given() -> None:
    with pytest.raises(AutonamingDisabledError, match="bucket must be given"):
        make_name(NameRule(property="bucket"), "data", b"", Options(mode=Options.DISABLE))

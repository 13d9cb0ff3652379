"""Values on the wire between engine and stand-in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.sandbox.standin.wire import (
    UNKNOWN,
    Secret,
    decode,
    encode,
    holds_secret,
    holds_unknown,
    reveal,
)

plain = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: not n.is_integer())
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1), plain))
def test_what_is_encoded_is_decoded_the_same(properties: dict[str, Any]) -> None:
    assert decode(encode(properties)) == properties


def test_unknown_and_secret_survive_the_way() -> None:
    properties = {"a": UNKNOWN, "b": Secret("x"), "c": [Secret({"d": UNKNOWN})]}
    assert decode(encode(properties)) == properties


def test_null_is_left_out() -> None:
    assert decode(encode({"a": None, "b": 1})) == {"b": 1}


def test_a_secret_is_found_and_never_shown() -> None:
    nested = {"a": [{"b": Secret("hunter2")}]}
    assert holds_secret(nested)
    assert "hunter2" not in repr(nested)
    assert reveal(nested) == {"a": [{"b": "hunter2"}]}


def test_an_unknown_is_found_inside() -> None:
    assert holds_unknown({"a": [Secret(UNKNOWN)]})
    assert not holds_unknown({"a": [Secret("known")]})

"""Passwords: made once, stored, and followed where others change them."""

import pytest

from inkless_pulumi.core.errors import SecretStoreError
from inkless_pulumi.provider.password import Password, PasswordInputs, PasswordOutputs
from tests.unit.provider.secret_manager import (
    CONTEXT,
    STORE,
    delete,
    new_secret,
    put,
    value_of,
)

PASSWORD = Password()


pytestmark = pytest.mark.usefixtures("aws_account")


@pytest.fixture
def inputs() -> PasswordInputs:
    return PasswordInputs(secret_id=new_secret("database"), secret_store=STORE)


def test_a_password_is_letters_and_digits_and_lies_in_its_secret(inputs: PasswordInputs) -> None:
    created = PASSWORD.create(inputs, CONTEXT)
    assert created.id == inputs.secret_id
    assert value_of(inputs.secret_id) == created.outputs.value
    assert len(created.outputs.value) == 32
    assert created.outputs.value.isalnum()
    assert created.outputs.value.isascii()


def test_two_passwords_differ(inputs: PasswordInputs) -> None:
    other = inputs.model_copy(update={"secret_id": new_secret("other")})
    first, second = (PASSWORD.create(one, CONTEXT).outputs.value for one in (inputs, other))
    assert first != second


def test_an_interrupted_creation_takes_up_the_password_it_stored(inputs: PasswordInputs) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    assert PASSWORD.create(inputs, CONTEXT).outputs == outputs


@pytest.mark.parametrize("value", ["short", "x" * 31 + "!", "é" * 32, "x" * 33])
def test_a_secret_that_holds_something_else_is_left_as_it_is(
    inputs: PasswordInputs, value: str
) -> None:
    put(inputs.secret_id, value)
    with pytest.raises(SecretStoreError, match=r"holds something else.*secret of its own") as told:
        PASSWORD.create(inputs, CONTEXT)
    assert value not in str(told.value)
    assert value_of(inputs.secret_id) == value


def test_another_length_makes_another_password_in_the_same_secret(inputs: PasswordInputs) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    assert PASSWORD.preview({"length": 32}, outputs) == {"value": outputs.value}
    assert PASSWORD.preview({"length": 40}, outputs) == {}
    longer = inputs.model_copy(update={"length": 40})
    drawn = PASSWORD.update(inputs.secret_id, inputs, outputs, longer, CONTEXT)
    assert len(drawn.value) == 40
    assert value_of(inputs.secret_id) == drawn.value


@pytest.mark.parametrize("length", [0, 15, 129])
def test_a_length_that_is_weak_or_too_long_is_refused(length: int) -> None:
    (problem,) = PASSWORD.check({"length": length}, None)
    assert problem.path == "length"
    assert problem.remedy == "use 16 to 128"


def test_a_password_that_others_changed_is_the_password_from_then_on(
    inputs: PasswordInputs,
) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    put(inputs.secret_id, "changed-by-others")
    found = PASSWORD.read(inputs.secret_id, inputs, outputs, CONTEXT)
    assert found is not None
    assert found[1].value == "changed-by-others"
    assert found[1].version_id != outputs.version_id


def test_a_password_whose_secret_is_gone_is_gone(inputs: PasswordInputs) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    delete(inputs.secret_id)
    assert PASSWORD.read(inputs.secret_id, inputs, outputs, CONTEXT) is None


def test_an_import_takes_the_stored_value(inputs: PasswordInputs) -> None:
    put(inputs.secret_id, "a-password-from-before")
    found = PASSWORD.read(inputs.secret_id, None, None, CONTEXT)
    assert found is not None
    real_inputs, outputs = found
    assert real_inputs == inputs.model_copy(update={"length": 22})
    assert outputs.value == "a-password-from-before"


def test_another_way_to_the_store_keeps_the_password(inputs: PasswordInputs) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    kept = PASSWORD.update(inputs.secret_id, inputs, outputs, inputs, CONTEXT)
    assert kept == outputs
    put(inputs.secret_id, "overwritten")
    restored = PASSWORD.update(inputs.secret_id, inputs, outputs, inputs, CONTEXT)
    assert restored.value == outputs.value == value_of(inputs.secret_id)


def test_deleting_the_resource_leaves_the_value_to_the_secret(inputs: PasswordInputs) -> None:
    outputs = PASSWORD.create(inputs, CONTEXT).outputs
    PASSWORD.delete(inputs.secret_id, inputs, outputs, CONTEXT)
    assert value_of(inputs.secret_id) == outputs.value


def test_the_value_is_the_only_secret_output() -> None:
    assert Password.secret_outputs == {"value"}
    assert set(PasswordOutputs.model_fields) == {"value", "version_id"}

"""A password that is made here and kept in the secret store."""

import secrets
import string
from collections.abc import Iterable, Mapping
from typing import ClassVar

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.resource import Context, Created, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    occupied,
    open_secret_store,
    store_named_in,
)

__all__ = ["Password", "random_password"]

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
_ALPHABET = frozenset(_LETTERS_AND_DIGITS)
_SHORTEST, _LONGEST = 16, 128


class PasswordInputs(WireModel):
    """Where the password goes and how long it is."""

    secret_id: str
    """Id of the secret that receives the password as its whole value."""
    secret_store: SecretStoreInputs
    """Where that secret is."""
    length: int = 32
    """Number of characters, from 16 to 128. A change makes a new password. Default: 32."""


class PasswordOutputs(WireModel):
    """The password, and which version of the secret holds it."""

    value: str
    """The password: letters and digits only, so that it needs no quoting anywhere."""
    version_id: str
    """The version of the secret that holds it."""


class Password(resource.Resource[PasswordInputs, PasswordOutputs]):
    """The value is also a (secret) output, because a database has to be told it."""

    token = "inkless:index:Password"
    inputs = PasswordInputs
    outputs = PasswordOutputs
    description: ClassVar[str] = (
        "A random password, written into a secret of the cloud's secret store. A secret that holds "
        "a password of that length already is adopted, and one that holds anything else is "
        "refused. Deleting the resource leaves the value to the secret, which is deleted with its "
        "own resource.\n\n"
        "Import: the secret's full ARN."
    )
    replace_on = frozenset({"secret_id"})
    secret_outputs = frozenset({"value"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse lengths that are weak, or longer than databases take."""
        length = known.get("length")
        if isinstance(length, int) and not _SHORTEST <= length <= _LONGEST:
            rule = "is too short to be safe" if length < _SHORTEST else "is too long"
            yield Problem("length", length, rule, f"use {_SHORTEST} to {_LONGEST}")

    def preview(
        self, known: Mapping[str, object], prior: PasswordOutputs | None
    ) -> Mapping[str, object]:
        """The password stays as long as its length does."""
        kept = prior is not None and known.get("length") == len(prior.value)
        return {"value": prior.value} if prior is not None and kept else {}

    def create(self, inputs: PasswordInputs, context: Context) -> Created[PasswordOutputs]:
        """Draw a password and store it; adopt the one that an earlier run stored."""
        store = open_secret_store(inputs.secret_store)
        found = store.find(inputs.secret_id)
        if found is None:
            return Created(inputs.secret_id, _drawn(store, inputs))
        if len(found.value) != inputs.length or not set(found.value) <= _ALPHABET:
            raise occupied(inputs.secret_id, f"a password of {inputs.length} letters and digits")
        outputs = PasswordOutputs(value=found.value, version_id=found.version_id)
        return Created(inputs.secret_id, outputs)

    def read(
        self,
        id: str,
        inputs: PasswordInputs | None,
        outputs: PasswordOutputs | None,
        context: Context,
    ) -> tuple[PasswordInputs, PasswordOutputs] | None:
        """Answer the stored value: one that was changed by others is the password from then on."""
        store = inputs.secret_store if inputs else store_named_in(id)
        found = open_secret_store(store).find(id)
        if found is None:
            return None
        if inputs is None:
            inputs = PasswordInputs(secret_id=id, secret_store=store, length=len(found.value))
        return inputs, PasswordOutputs(value=found.value, version_id=found.version_id)

    def update(
        self,
        id: str,
        old_inputs: PasswordInputs,
        old_outputs: PasswordOutputs,
        inputs: PasswordInputs,
        context: Context,
    ) -> PasswordOutputs:
        """Draw another if another length is wanted; else see that the store has the password."""
        store = open_secret_store(inputs.secret_store)
        if len(old_outputs.value) != inputs.length:
            return _drawn(store, inputs)
        found = store.find(id)
        if found is not None and found.value == old_outputs.value:
            return PasswordOutputs(value=found.value, version_id=found.version_id)
        version = store.write(id, old_outputs.value)
        return PasswordOutputs(value=old_outputs.value, version_id=version)

    def delete(
        self, id: str, inputs: PasswordInputs, outputs: PasswordOutputs, context: Context
    ) -> None:
        """Leave the value in place: stores delete secrets, not values."""


def _drawn(store: SecretStore, inputs: PasswordInputs) -> PasswordOutputs:
    value = random_password(inputs.length)
    return PasswordOutputs(value=value, version_id=store.write(inputs.secret_id, value))


def random_password(length: int) -> str:
    """Draw letters and digits; 32 of them are 190 bits."""
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))

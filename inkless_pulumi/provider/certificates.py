"""A service's certificate authority, and the certificates it signs.

Private keys are made here and go into the secret store; state has the certificate, its fingerprint
and its expiry. In the store, a secret holds one PEM text: private key, certificate, and for a
signed one the authority's certificate.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar

from inkless_pulumi.core.errors import InklessError, Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.resource import Context, Created, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    open_secret_store,
    store_named_in,
)

if TYPE_CHECKING:
    from inkless_pulumi.provider import pki

__all__ = ["Certificate", "CertificateAuthority"]

_LONGEST_NAME = 64  # RFC 5280, upper bounds of X.520 names
_NAME_PARTS = ("common_name", "organizational_unit", "organization")
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?")


class CertificateAuthorityInputs(WireModel):
    """What the authority is called, and where its key goes."""

    secret_id: str
    """Id of the secret that receives the authority's key and certificate, as PEM."""
    secret_store: SecretStoreInputs
    """Where that secret is."""
    common_name: str = "inkless-ca"
    """The authority's common name. Default: `inkless-ca`."""
    organization: str = "inkless"
    """The authority's organization. Default: `inkless`."""
    validity_days: int = 3650
    """How long the authority is valid, in days. Default: 3650."""


class CertificateOutputs(WireModel):
    """The public side of what was made."""

    certificate: str
    """The certificate as PEM."""
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal."""
    not_after: str
    """When it expires: RFC 3339, UTC."""


class CertificateInputs(WireModel):
    """Whom a certificate is for, and where its key goes."""

    ca_secret_id: str
    """Id of the secret with the authority's key and certificate (see CertificateAuthority)."""
    ca_fingerprint: str
    """Fingerprint of the authority. Another one means: sign a new certificate."""
    secret_id: str
    """Id of the secret that receives key, certificate and the authority's certificate, as PEM."""
    secret_store: SecretStoreInputs
    """Where both secrets are."""
    common_name: str
    """Common name of the subject, for example `node-1`."""
    organizational_unit: str
    """Organizational unit of the subject, for example `nodes`."""
    organization: str = "inkless"
    """Organization of the subject. Default: `inkless`."""
    addresses: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    """IP addresses and host names that the certificate is for. Default: none (a client's)."""
    validity_days: int = 365
    """How long the certificate is valid, in days. An update in the last 30 days, or in the last
    third of a shorter time, renews it. Default: 365."""


class CertificateAuthority(resource.Resource[CertificateAuthorityInputs, CertificateOutputs]):
    """Self-signed; signs leaf certificates only."""

    token = "inkless:index:CertificateAuthority"
    inputs = CertificateAuthorityInputs
    outputs = CertificateOutputs
    description: ClassVar[str] = (
        "A certificate authority of a service's own. Its private key is made by the plugin and "
        "kept in the secret store only. Deleting the resource leaves the value to the secret, "
        "which is deleted with its own resource.\n\nImport: the secret's full ARN."
    )
    replace_on = frozenset({"secret_id", "common_name", "organization", "validity_days"})
    stable_outputs = frozenset({"certificate", "fingerprint", "not_after"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what X.509 can't hold."""
        return _problems(known)

    def create(
        self, inputs: CertificateAuthorityInputs, context: Context
    ) -> Created[CertificateOutputs]:
        """Make the key, sign its certificate, store both."""
        from inkless_pulumi.provider import pki

        authority = pki.new_authority(
            common_name=inputs.common_name,
            organization=inputs.organization,
            days=inputs.validity_days,
        )
        open_secret_store(inputs.secret_store).write(inputs.secret_id, authority.pem())
        return Created(inputs.secret_id, _public(authority))

    def read(
        self,
        id: str,
        inputs: CertificateAuthorityInputs | None,
        outputs: CertificateOutputs | None,
        context: Context,
    ) -> tuple[CertificateAuthorityInputs, CertificateOutputs] | None:
        """Answer what the store holds: gone when the secret has no value."""
        from inkless_pulumi.provider import pki

        store = inputs.secret_store if inputs else store_named_in(id)
        authority = _find(open_secret_store(store), id)
        if authority is None:
            return None
        organization, _, common_name = pki.subject_of(authority.certificate)
        found = CertificateAuthorityInputs(
            secret_id=id,
            secret_store=store,
            common_name=common_name,
            organization=organization,
            validity_days=pki.validity_days_of(authority.certificate),
        )
        return found, _public(authority)

    def update(
        self,
        id: str,
        old_inputs: CertificateAuthorityInputs,
        old_outputs: CertificateOutputs,
        inputs: CertificateAuthorityInputs,
        context: Context,
    ) -> CertificateOutputs:
        """Only the way to the store can change: see that the authority is found that way."""
        authority = _find(open_secret_store(inputs.secret_store), id)
        if authority is None or _public(authority) != old_outputs:
            raise InklessError(
                f"The secret {id}, read through the new secret_store, does not hold this "
                f"certificate authority ({old_outputs.fingerprint}). Set secret_store back, or "
                "copy the secret there first."
            )
        return old_outputs

    def delete(
        self,
        id: str,
        inputs: CertificateAuthorityInputs,
        outputs: CertificateOutputs,
        context: Context,
    ) -> None:
        """Leave the value in place: stores delete secrets, not values."""


class Certificate(resource.Resource[CertificateInputs, CertificateOutputs]):
    """Signed by an authority in the secret store, for a TLS server and client."""

    token = "inkless:index:Certificate"
    inputs = CertificateInputs
    outputs = CertificateOutputs
    description: ClassVar[str] = (
        "A private key and a certificate for it, signed by a CertificateAuthority, for a node or "
        "a client that identifies itself by certificate. The key is made by the plugin and kept "
        "in the secret store only. A change of what the certificate says makes a new key and "
        "certificate in the same secret. Deleting the resource leaves the value to the secret, "
        "which is deleted with its own resource.\n\nImport: the secret's full ARN."
    )
    replace_on = frozenset({"secret_id"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what X.509 can't hold."""
        yield from _problems(known)
        addresses = known.get("addresses")
        if isinstance(addresses, list):
            yield from _address_problems(addresses)

    def stale(self, known: Mapping[str, object], outputs: CertificateOutputs) -> Iterable[str]:
        """A certificate near its end is renewed."""
        days = known.get("validity_days")
        if isinstance(days, int) and _ends_soon(outputs.not_after, days):
            yield "not_after"

    def create(self, inputs: CertificateInputs, context: Context) -> Created[CertificateOutputs]:
        """Make the key, have its certificate signed, store both."""
        return Created(inputs.secret_id, _public(_issue(inputs)))

    def read(
        self,
        id: str,
        inputs: CertificateInputs | None,
        outputs: CertificateOutputs | None,
        context: Context,
    ) -> tuple[CertificateInputs, CertificateOutputs] | None:
        """Answer what the store holds: gone when the secret has no value.

        One that was replaced there by others shows as changed inputs, so that the next update
        signs it as declared.
        """
        store = inputs.secret_store if inputs else store_named_in(id)
        found = _find(open_secret_store(store), id)
        return None if found is None else (_real_inputs(id, store, inputs, found), _public(found))

    def update(
        self,
        id: str,
        old_inputs: CertificateInputs,
        old_outputs: CertificateOutputs,
        inputs: CertificateInputs,
        context: Context,
    ) -> CertificateOutputs:
        """Sign a new certificate, unless the stored one is already as declared."""
        found = _find(open_secret_store(inputs.secret_store), id)
        if found is not None and _is_as_declared(found, inputs):
            return _public(found)
        return _public(_issue(inputs))

    def delete(
        self, id: str, inputs: CertificateInputs, outputs: CertificateOutputs, context: Context
    ) -> None:
        """Leave the value in place: stores delete secrets, not values."""


def _problems(known: Mapping[str, object]) -> Iterable[Problem]:
    """Rules that both kinds share."""
    for part in _NAME_PARTS:
        text = known.get(part)
        if isinstance(text, str) and not 1 <= len(text) <= _LONGEST_NAME:
            remedy = f"use 1 to {_LONGEST_NAME} characters"
            yield Problem(part, text, "does not fit into a certificate (RFC 5280)", remedy)
    days = known.get("validity_days")
    if isinstance(days, int) and not 1 <= days <= 36500:
        yield Problem("validity_days", days, "is out of range", "use 1 to 36500 days")


def _address_problems(addresses: list[str]) -> Iterable[Problem]:
    for index, address in enumerate(addresses):
        path = f"addresses[{index}]"
        if not _ADDRESS.fullmatch(address):
            yield Problem(path, address, "is no IP address or host name", "give one of them")
        elif address in addresses[:index]:
            yield Problem(path, address, "is there twice", "name it once")
        elif (short := _short_form(address)) != address:
            # What is read back from a certificate is the short form; another would look like drift.
            yield Problem(path, address, "is not the address's short form", f"write {short}")


def _short_form(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def _find(store: SecretStore, secret_id: str) -> "pki.Identity | None":
    """The identity in a secret; None when the secret has no value or one that is no identity."""
    from inkless_pulumi.provider import pki

    stored = store.find(secret_id)
    if stored is None:
        return None
    try:
        return pki.parse(stored.value)
    except pki.IdentityError:
        return None


def _issue(inputs: CertificateInputs) -> "pki.Identity":
    """Sign a certificate for a new key, and store it."""
    from inkless_pulumi.provider import pki

    store = open_secret_store(inputs.secret_store)
    try:
        authority = pki.parse(store.read(inputs.ca_secret_id))
    except pki.IdentityError as wrong:
        raise InklessError(
            f"The secret {inputs.ca_secret_id} {wrong}. ca_secret_id must be the secret of a "
            "CertificateAuthority."
        ) from None
    if pki.fingerprint(authority.certificate) != inputs.ca_fingerprint:
        raise InklessError(
            f"The secret {inputs.ca_secret_id} holds another certificate authority "
            f"({pki.fingerprint(authority.certificate)}) than ca_fingerprint says "
            f"({inputs.ca_fingerprint}). If it was replaced on purpose, run `pulumi refresh`."
        )
    identity = pki.issue(
        authority,
        common_name=inputs.common_name,
        organizational_unit=inputs.organizational_unit,
        organization=inputs.organization,
        addresses=inputs.addresses,
        days=inputs.validity_days,
    )
    store.write(inputs.secret_id, identity.pem())
    return identity


def _real_inputs(
    secret_id: str,
    store: SecretStoreInputs,
    inputs: CertificateInputs | None,
    found: "pki.Identity",
) -> CertificateInputs:
    """What would have to be declared to get the certificate that was found."""
    from inkless_pulumi.provider import pki

    organization, unit, common_name = pki.subject_of(found.certificate)
    authority = pki.fingerprint(found.authority) if found.authority else ""
    days = pki.validity_days_of(found.certificate)
    return CertificateInputs(
        ca_secret_id=inputs.ca_secret_id if inputs else "",
        ca_fingerprint=authority if found.issued_by(authority) else "",
        secret_id=secret_id,
        secret_store=store,
        common_name=common_name,
        organizational_unit=unit,
        organization=organization,
        addresses=pki.addresses_of(found.certificate),
        # An authority that ends earlier cuts the time that was asked for.
        validity_days=max(days, inputs.validity_days) if inputs and _is_cut(found) else days,
    )


def _is_cut(found: "pki.Identity") -> bool:
    authority = found.authority
    return (
        authority is not None
        and found.certificate.not_valid_after_utc == authority.not_valid_after_utc
    )


def _is_as_declared(found: "pki.Identity", inputs: CertificateInputs) -> bool:
    real = _real_inputs(inputs.secret_id, inputs.secret_store, inputs, found)
    return real == inputs and not _ends_soon(_public(found).not_after, inputs.validity_days)


def _ends_soon(not_after: str, days: int) -> bool:
    """Whether a certificate is in the last 30 days, or the last third, of its time."""
    left = datetime.fromisoformat(not_after) - datetime.now(UTC)
    return left < min(timedelta(days=30), timedelta(days=days) / 3)


def _public(identity: "pki.Identity") -> CertificateOutputs:
    from inkless_pulumi.provider import pki

    return CertificateOutputs(
        certificate=identity.certificate_pem(),
        fingerprint=pki.fingerprint(identity.certificate),
        not_after=pki.not_after(identity.certificate),
    )

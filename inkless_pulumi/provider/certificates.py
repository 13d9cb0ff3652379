"""Certificates that a service's authority signs.

Private keys are made here and go into the secret store.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar

from inkless_pulumi.core.errors import InklessError, Problem
from inkless_pulumi.provider import resource
from inkless_pulumi.provider.resource import Context, Created, WireModel
from inkless_pulumi.provider.secret_stores import (
    SecretStore,
    SecretStoreInputs,
    occupied,
    open_secret_store,
    store_named_in,
)
from inkless_pulumi.provider.stored_certificates import (
    CertificateOutputs,
    certificate_problems,
    ends_soon,
    find_identity,
    public_side,
)

if TYPE_CHECKING:
    from cryptography import x509

    from inkless_pulumi.provider import pki

__all__ = ["Certificate"]

_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?")


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
    """How long the certificate is valid, in days. An update in the last third of that time renews
    it. Default: 365."""
    with_authorities: bool = False
    """Whether the secret also gets the certificates of the authorities, before the key: for a
    client that learns from its secret alone whom to trust. Not for a node: Kafka sends every
    certificate of its file. Default: false."""
    renewal: str | None = None
    """Any text; another one renews the certificate with the next update. Default: none."""


class Certificate(resource.Resource[CertificateInputs, CertificateOutputs]):
    """Signed by an authority in the secret store, for a TLS server and client."""

    token = "inkless:index:Certificate"
    inputs = CertificateInputs
    outputs = CertificateOutputs
    description: ClassVar[str] = (
        "A private key and a certificate for it, signed by a CertificateAuthority, for a node or "
        "a client that identifies itself by certificate. The key is made by the plugin and kept "
        "in the secret store only. A change of what the certificate says makes a new key and "
        "certificate in the same secret. A secret that holds a certificate of the authority for "
        "that subject already is adopted, and one that holds anything else is refused. Deleting "
        "the resource leaves the value to the secret, which is deleted with its own resource.\n\n"
        "Import: the secret's full ARN."
    )
    replace_on = frozenset({"secret_id"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what X.509 can't hold."""
        yield from certificate_problems(known)
        addresses = known.get("addresses")
        if isinstance(addresses, list):
            yield from _address_problems(addresses)

    def stale(self, known: Mapping[str, object], outputs: CertificateOutputs) -> Iterable[str]:
        """A certificate near its end is renewed."""
        if ends_soon(outputs, known.get("validity_days")):
            yield "not_after"

    def create(self, inputs: CertificateInputs, context: Context) -> Created[CertificateOutputs]:
        """Make the key, have its certificate signed, store both; adopt what an earlier run made."""
        store = open_secret_store(inputs.secret_store)
        if store.find(inputs.secret_id) is not None:
            _refuse_foreign(store, inputs)
        return Created(inputs.secret_id, _as_declared(inputs) or public_side(_issue(inputs)))

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
        found = _real_inputs(id, store, inputs)
        return None if found is None else (found[0], public_side(found[1]))

    def update(
        self,
        id: str,
        old_inputs: CertificateInputs,
        old_outputs: CertificateOutputs,
        inputs: CertificateInputs,
        context: Context,
    ) -> CertificateOutputs:
        """Sign a new certificate, unless the stored one is already as declared."""
        kept = _as_declared(inputs) if inputs.renewal == old_inputs.renewal else None
        return kept or public_side(_issue(inputs))

    def delete(
        self, id: str, inputs: CertificateInputs, outputs: CertificateOutputs, context: Context
    ) -> None:
        """Leave the value in place: stores delete secrets, not values."""


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


def _refuse_foreign(store: SecretStore, inputs: CertificateInputs) -> None:
    """See that what the secret holds already was signed by the authority for the same subject.

    Raises:
        SecretStoreError: it holds anything else.
    """
    from inkless_pulumi.provider import pki

    found, authority = (
        find_identity(store, inputs.secret_id),
        find_identity(store, inputs.ca_secret_id),
    )
    subject = (inputs.organization, inputs.organizational_unit, inputs.common_name)
    if found is not None and authority is not None:
        signers = (authority.certificate, *authority.roots)
        if pki.subject_of(found.certificate) == subject and any(map(found.issued_by, signers)):
            return
    raise occupied(inputs.secret_id, f"a certificate of this authority for {inputs.common_name}")


def _as_declared(inputs: CertificateInputs) -> CertificateOutputs | None:
    """The stored certificate, when no other has to be signed."""
    found = _real_inputs(inputs.secret_id, inputs.secret_store, inputs)
    if found is None or found[0] != inputs:
        return None
    public = public_side(found[1])
    return None if ends_soon(public, inputs.validity_days) else public


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
        with_authorities=inputs.with_authorities,
    )
    store.write(inputs.secret_id, identity.pem())
    return identity


def _real_inputs(
    secret_id: str, store: SecretStoreInputs, inputs: CertificateInputs | None
) -> tuple[CertificateInputs, "pki.Identity"] | None:
    """What would have to be declared to get the certificate that is stored, and that one."""
    from inkless_pulumi.provider import pki

    opened = open_secret_store(store)
    found = find_identity(opened, secret_id)
    if found is None:
        return None
    authority = _authority_of(found, opened, inputs)
    organization, unit, common_name = pki.subject_of(found.certificate)
    days = pki.validity_days_of(found.certificate)
    if inputs and authority and _ends_with(found, authority):
        days = max(days, inputs.validity_days)  # the authority cut the time that was asked for
    real = CertificateInputs(
        ca_secret_id=inputs.ca_secret_id if inputs else "",
        ca_fingerprint=pki.fingerprint(authority) if authority else "",
        secret_id=secret_id,
        secret_store=store,
        common_name=common_name,
        organizational_unit=unit,
        organization=organization,
        addresses=pki.addresses_of(found.certificate),
        validity_days=days,
        with_authorities=bool(found.trusted),
        renewal=inputs.renewal if inputs else None,
    )
    return real, found


def _authority_of(
    found: "pki.Identity", store: SecretStore, inputs: CertificateInputs | None
) -> "x509.Certificate | None":
    """The authority that signed a certificate: the declared one, or one that came with it."""
    declared = find_identity(store, inputs.ca_secret_id) if inputs else None
    candidates = (declared.certificate,) if declared else found.roots
    return next((authority for authority in candidates if found.issued_by(authority)), None)


def _ends_with(found: "pki.Identity", authority: "x509.Certificate") -> bool:
    return found.certificate.not_valid_after_utc == authority.not_valid_after_utc

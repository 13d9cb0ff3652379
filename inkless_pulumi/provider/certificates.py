"""A service's certificate authority, and the certificates it signs.

Private keys are made here and go into the secret store; state has the certificate, its fingerprint
and its expiry. In the store, a secret holds one PEM text: a private key, its certificate, and the
certificates that lead to it (see `pki.Identity`).

An authority is renewed in its own secret. The new one is linked to the old one, and both are
trusted while the old one lasts: certificates of either are accepted, by those who know either.
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
    occupied,
    open_secret_store,
    store_named_in,
)

if TYPE_CHECKING:
    from cryptography import x509

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
    """How long the authority is valid, in days; another number counts from its next renewal. An
    update in the last third of that time renews it. Default: 3650."""
    renewal: str | None = None
    """Any text; another one renews the authority with the next update. Default: none."""


class CertificateOutputs(WireModel):
    """The public side of what was made."""

    certificate: str
    """The certificate as PEM. Of an authority, those before it follow while they last."""
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal."""
    not_after: str
    """When it expires: RFC 3339, UTC."""


class CertificateAuthorityOutputs(CertificateOutputs):
    """The public side of an authority."""

    renewed_for: str = ""
    """The `renewal` that it was last renewed for."""


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
    renewal: str | None = None
    """Any text; another one renews the certificate with the next update. Default: none."""


class CertificateAuthority(
    resource.Resource[CertificateAuthorityInputs, CertificateAuthorityOutputs]
):
    """Self-signed; signs leaf certificates, and the link to the authority that follows it."""

    token = "inkless:index:CertificateAuthority"
    inputs = CertificateAuthorityInputs
    outputs = CertificateAuthorityOutputs
    description: ClassVar[str] = (
        "A certificate authority of a service's own. Its private key is made by the plugin and "
        "kept in the secret store only. A renewed authority has a new key in the same secret; "
        "whoever trusts the old one trusts what the new one signs, for as long as the old one "
        "lasts. A secret that holds an authority of that name already is adopted, and one that "
        "holds anything else is refused. Deleting the resource leaves the value to the secret, "
        "which is deleted with its own resource.\n\nImport: the secret's full ARN."
    )
    replace_on = frozenset({"secret_id"})

    def check(
        self, known: Mapping[str, object], olds: Mapping[str, object] | None
    ) -> Iterable[Problem]:
        """Refuse what X.509 can't hold, and another name."""
        yield from _problems(known)
        for part in ("common_name", "organization"):
            old, new = (olds or {}).get(part), known.get(part)
            if old is not None and new is not None and old != new:
                remedy = f"keep {old!r}, or declare another authority with a secret of its own"
                yield Problem(part, new, f"was {old!r}, and an authority can't be renamed", remedy)

    def stale(
        self, known: Mapping[str, object], outputs: CertificateAuthorityOutputs
    ) -> Iterable[str]:
        """An authority near its end is renewed, long before what it signed ends with it."""
        if _ends_soon(outputs, known.get("validity_days")):
            yield "not_after"

    def preview(
        self, known: Mapping[str, object], prior: CertificateAuthorityOutputs | None
    ) -> Mapping[str, object]:
        """Everything stays, unless the authority is renewed."""
        if prior is None or _is_due(known, prior):
            return {}
        return dict(prior)

    def create(
        self, inputs: CertificateAuthorityInputs, context: Context
    ) -> Created[CertificateAuthorityOutputs]:
        """Make the key, sign its certificate, store both; adopt what an earlier run made."""
        from inkless_pulumi.provider import pki

        store = open_secret_store(inputs.secret_store)
        if store.find(inputs.secret_id) is None:
            authority = pki.new_authority(
                common_name=inputs.common_name,
                organization=inputs.organization,
                days=inputs.validity_days,
            )
            store.write(inputs.secret_id, authority.pem())
        else:
            authority = _adopted(store, inputs)
        return Created(inputs.secret_id, _authority(authority, inputs.renewal))

    def read(
        self,
        id: str,
        inputs: CertificateAuthorityInputs | None,
        outputs: CertificateAuthorityOutputs | None,
        context: Context,
    ) -> tuple[CertificateAuthorityInputs, CertificateAuthorityOutputs] | None:
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
            # A number that counts from the next renewal only is no drift.
            validity_days=inputs.validity_days
            if inputs
            else pki.validity_days_of(authority.certificate),
            renewal=inputs.renewal if inputs else None,
        )
        return found, _authority(authority, outputs.renewed_for if outputs else None)

    def update(
        self,
        id: str,
        old_inputs: CertificateAuthorityInputs,
        old_outputs: CertificateAuthorityOutputs,
        inputs: CertificateAuthorityInputs,
        context: Context,
    ) -> CertificateAuthorityOutputs:
        """Renew the authority if that is due; a renewal that was interrupted is found done."""
        from inkless_pulumi.provider import pki

        store = open_secret_store(inputs.secret_store)
        authority = _find(store, id)
        known = [] if authority is None else [authority.certificate, *authority.roots]
        if authority is None or old_outputs.fingerprint not in map(pki.fingerprint, known):
            raise InklessError(
                f"The secret {id}, read through the secret_store, does not hold this certificate "
                f"authority ({old_outputs.fingerprint}). Set secret_store back, or copy the secret "
                "there first."
            )
        is_renewed = old_outputs.fingerprint != pki.fingerprint(authority.certificate)
        if _is_due(inputs.model_dump(), old_outputs) and not is_renewed:
            authority = pki.succeed(authority, days=inputs.validity_days)
            store.write(id, authority.pem())
        return _authority(authority, inputs.renewal)

    def delete(
        self,
        id: str,
        inputs: CertificateAuthorityInputs,
        outputs: CertificateAuthorityOutputs,
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
        yield from _problems(known)
        addresses = known.get("addresses")
        if isinstance(addresses, list):
            yield from _address_problems(addresses)

    def stale(self, known: Mapping[str, object], outputs: CertificateOutputs) -> Iterable[str]:
        """A certificate near its end is renewed."""
        if _ends_soon(outputs, known.get("validity_days")):
            yield "not_after"

    def create(self, inputs: CertificateInputs, context: Context) -> Created[CertificateOutputs]:
        """Make the key, have its certificate signed, store both; adopt what an earlier run made."""
        store = open_secret_store(inputs.secret_store)
        if store.find(inputs.secret_id) is not None:
            _refuse_foreign(store, inputs)
        return Created(inputs.secret_id, _as_declared(inputs) or _public(_issue(inputs)))

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
        return None if found is None else (found[0], _public(found[1]))

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
        return kept or _public(_issue(inputs))

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


def _adopted(store: SecretStore, inputs: CertificateAuthorityInputs) -> "pki.Identity":
    """The authority that the secret holds already: one that was made, and not recorded.

    Raises:
        SecretStoreError: it holds anything else.
    """
    from inkless_pulumi.provider import pki

    found = _find(store, inputs.secret_id)
    if found is not None and found.issued_by(found.certificate):
        organization, _, common_name = pki.subject_of(found.certificate)
        if (organization, common_name) == (inputs.organization, inputs.common_name):
            return found
    raise occupied(inputs.secret_id, f"the certificate authority {inputs.common_name}")


def _refuse_foreign(store: SecretStore, inputs: CertificateInputs) -> None:
    """See that what the secret holds already was signed by the authority for the same subject.

    Raises:
        SecretStoreError: it holds anything else.
    """
    from inkless_pulumi.provider import pki

    found, authority = _find(store, inputs.secret_id), _find(store, inputs.ca_secret_id)
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
    public = _public(found[1])
    return None if _ends_soon(public, inputs.validity_days) else public


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
    secret_id: str, store: SecretStoreInputs, inputs: CertificateInputs | None
) -> tuple[CertificateInputs, "pki.Identity"] | None:
    """What would have to be declared to get the certificate that is stored, and that one."""
    from inkless_pulumi.provider import pki

    opened = open_secret_store(store)
    found = _find(opened, secret_id)
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
        renewal=inputs.renewal if inputs else None,
    )
    return real, found


def _authority_of(
    found: "pki.Identity", store: SecretStore, inputs: CertificateInputs | None
) -> "x509.Certificate | None":
    """The authority that signed a certificate: the declared one, or one that came with it."""
    declared = _find(store, inputs.ca_secret_id) if inputs else None
    candidates = (declared.certificate,) if declared else found.roots
    return next((authority for authority in candidates if found.issued_by(authority)), None)


def _ends_with(found: "pki.Identity", authority: "x509.Certificate") -> bool:
    return found.certificate.not_valid_after_utc == authority.not_valid_after_utc


def _ends_soon(outputs: CertificateOutputs, days: object) -> bool:
    """Whether less than a third of a certificate's life is left.

    Nothing is read from the certificate as long as the declared time tells that it is not.
    """
    left = datetime.fromisoformat(outputs.not_after) - datetime.now(UTC)
    if not isinstance(days, int) or left >= timedelta(days=days) / 3:
        return False
    from inkless_pulumi.provider import pki

    return pki.is_in_last_third(outputs.certificate)


def _is_due(known: Mapping[str, object], outputs: CertificateAuthorityOutputs) -> bool:
    """Whether an authority is to be renewed, by its age or on request."""
    asked = known.get("renewal") or ""
    return asked != outputs.renewed_for or _ends_soon(outputs, known.get("validity_days"))


def _public(identity: "pki.Identity") -> CertificateOutputs:
    from inkless_pulumi.provider import pki

    return CertificateOutputs(
        certificate=pki.pem_of(identity.certificate),
        fingerprint=pki.fingerprint(identity.certificate),
        not_after=pki.not_after(identity.certificate),
    )


def _authority(identity: "pki.Identity", renewed_for: str | None) -> CertificateAuthorityOutputs:
    from inkless_pulumi.provider import pki

    public = _public(identity).model_dump()
    public["certificate"] = pki.pem_of(identity.certificate, *identity.roots)
    return CertificateAuthorityOutputs(**public, renewed_for=renewed_for or "")

"""A service's certificate authority.

Its private key is made here and goes into the secret store. It is renewed in its own secret: the
new authority is linked to the old one, and both are trusted while the old one lasts. Certificates
of either are accepted, by those who know either.
"""

from collections.abc import Iterable, Mapping
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
    from inkless_pulumi.provider import pki

__all__ = ["CertificateAuthority"]


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


class CertificateAuthorityOutputs(CertificateOutputs):
    """The public side of an authority."""

    renewed_for: str = ""
    """The `renewal` that it was last renewed for."""


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
        yield from certificate_problems(known)
        for part in ("common_name", "organization"):
            old, new = (olds or {}).get(part), known.get(part)
            if old is not None and new is not None and old != new:
                remedy = f"keep {old!r}, or declare another authority with a secret of its own"
                yield Problem(part, new, f"was {old!r}, and an authority can't be renamed", remedy)

    def stale(
        self, known: Mapping[str, object], outputs: CertificateAuthorityOutputs
    ) -> Iterable[str]:
        """An authority near its end is renewed, long before what it signed ends with it."""
        if ends_soon(outputs, known.get("validity_days")):
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
        authority = find_identity(open_secret_store(store), id)
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
        authority = find_identity(store, id)
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


def _adopted(store: SecretStore, inputs: CertificateAuthorityInputs) -> "pki.Identity":
    """The authority that the secret holds already: one that was made, and not recorded.

    Raises:
        SecretStoreError: it holds anything else.
    """
    from inkless_pulumi.provider import pki

    found = find_identity(store, inputs.secret_id)
    if found is not None and found.issued_by(found.certificate):
        organization, _, common_name = pki.subject_of(found.certificate)
        if (organization, common_name) == (inputs.organization, inputs.common_name):
            return found
    raise occupied(inputs.secret_id, f"the certificate authority {inputs.common_name}")


def _is_due(known: Mapping[str, object], outputs: CertificateAuthorityOutputs) -> bool:
    """Whether an authority is to be renewed, by its age or on request."""
    asked = known.get("renewal") or ""
    return asked != outputs.renewed_for or ends_soon(outputs, known.get("validity_days"))


def _authority(identity: "pki.Identity", renewed_for: str | None) -> CertificateAuthorityOutputs:
    from inkless_pulumi.provider import pki

    public = public_side(identity).model_dump()
    public["certificate"] = pki.pem_of(identity.certificate, *identity.roots)
    return CertificateAuthorityOutputs(**public, renewed_for=renewed_for or "")

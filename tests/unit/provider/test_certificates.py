"""The authority and its certificates: keys in the store only, and what drifts is seen."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkless_pulumi.core.errors import InklessError, SecretStoreError
from inkless_pulumi.provider import pki
from inkless_pulumi.provider.certificate_authority import (
    CertificateAuthority,
    CertificateAuthorityInputs,
    CertificateAuthorityOutputs,
)
from inkless_pulumi.provider.certificates import Certificate, CertificateInputs
from inkless_pulumi.provider.stored_certificates import CertificateOutputs
from tests.unit.provider.aged_certificates import aged_certificate
from tests.unit.provider.secret_manager import (
    CONTEXT,
    STORE,
    delete,
    new_secret,
    put,
    value_of,
)

AUTHORITY, CERTIFICATE = CertificateAuthority(), Certificate()
pytestmark = pytest.mark.usefixtures("aws_account")


@pytest.fixture
def authority_inputs() -> CertificateAuthorityInputs:
    return CertificateAuthorityInputs(secret_id=new_secret("ca"), secret_store=STORE)


@pytest.fixture
def authority(authority_inputs: CertificateAuthorityInputs) -> CertificateAuthorityOutputs:
    return AUTHORITY.create(authority_inputs, CONTEXT).outputs


@pytest.fixture
def inputs(
    authority_inputs: CertificateAuthorityInputs, authority: CertificateAuthorityOutputs
) -> CertificateInputs:
    return CertificateInputs(
        ca_secret_id=authority_inputs.secret_id,
        ca_fingerprint=authority.fingerprint,
        secret_id=new_secret("node-1"),
        secret_store=STORE,
        common_name="node-1",
        organizational_unit="nodes",
        addresses=["10.42.1.10", "node-1.internal"],
    )


def x509_of(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_authority_signs_certificates_and_nothing_else(
    authority: CertificateAuthorityOutputs,
) -> None:
    certificate = x509_of(authority.certificate)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert usage.key_cert_sign
    assert not usage.digital_signature
    assert certificate.subject.rfc4514_string() == "CN=inkless-ca,O=inkless"
    certificate.verify_directly_issued_by(certificate)


def test_private_keys_are_in_the_store_only(
    authority_inputs: CertificateAuthorityInputs, inputs: CertificateInputs
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    for secret in (authority_inputs.secret_id, inputs.secret_id):
        # Java reads this form from a PEM file; an encrypted or an "EC" one it does not.
        assert value_of(secret).startswith("-----BEGIN PRIVATE KEY-----")
    assert "PRIVATE KEY" not in outputs.model_dump_json()


def test_a_node_certificate_is_what_the_brokers_rules_expect(
    inputs: CertificateInputs, authority: CertificateAuthorityOutputs
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    certificate, issuer = x509_of(outputs.certificate), x509_of(authority.certificate)
    certificate.verify_directly_issued_by(issuer)
    # Encoded O, OU, CN; Java prints it in the opposite order: CN=node-1,OU=nodes,O=inkless.
    assert [part.oid for part in certificate.subject] == [
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.COMMON_NAME,
    ]
    assert certificate.subject.rfc4514_string() == "CN=node-1,OU=nodes,O=inkless"
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.42.1.10")]
    assert names.get_values_for_type(x509.DNSName) == ["node-1.internal"]
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    signer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert signer.key_identifier == own.digest


def test_a_certificate_begins_in_the_past_for_clocks_that_are_behind(
    inputs: CertificateInputs,
) -> None:
    certificate = x509_of(CERTIFICATE.create(inputs, CONTEXT).outputs.certificate)
    assert certificate.not_valid_before_utc < datetime.now(UTC) - timedelta(minutes=30)


def test_a_certificate_ends_no_later_than_its_authority(inputs: CertificateInputs) -> None:
    longer = inputs.model_copy(update={"validity_days": 5000})
    outputs = CERTIFICATE.create(longer, CONTEXT).outputs
    ca = x509_of(value_of(inputs.ca_secret_id))
    assert x509_of(outputs.certificate).not_valid_after_utc == ca.not_valid_after_utc
    found = CERTIFICATE.read(inputs.secret_id, longer, outputs, CONTEXT)
    assert found == (longer, outputs), "what the authority cut is no drift"


def test_an_authority_that_is_not_the_declared_one_signs_nothing(
    inputs: CertificateInputs,
) -> None:
    put(inputs.ca_secret_id, pki.new_authority(common_name="x", organization="y", days=9).pem())
    with pytest.raises(InklessError, match=r"another certificate authority.*ca_fingerprint"):
        CERTIFICATE.create(inputs, CONTEXT)


def test_a_secret_that_holds_no_authority_is_named(inputs: CertificateInputs) -> None:
    put(inputs.ca_secret_id, "hunter2")
    with pytest.raises(InklessError, match="ca_secret_id must be") as failed:
        CERTIFICATE.create(inputs, CONTEXT)
    assert inputs.ca_secret_id in str(failed.value)
    assert "hunter2" not in str(failed.value)


def test_reading_finds_no_drift_where_there_is_none(
    inputs: CertificateInputs,
    authority_inputs: CertificateAuthorityInputs,
    authority: CertificateAuthorityOutputs,
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    assert CERTIFICATE.read(inputs.secret_id, inputs, outputs, CONTEXT) == (inputs, outputs)
    found = AUTHORITY.read(authority_inputs.secret_id, authority_inputs, authority, CONTEXT)
    assert found == (authority_inputs, authority)


def test_a_certificate_of_a_foreign_authority_shows_and_is_signed_anew(
    inputs: CertificateInputs,
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    foreign = pki.new_authority(common_name="inkless-ca", organization="inkless", days=10)
    forged = pki.issue(
        foreign,
        common_name="node-1",
        organizational_unit="nodes",
        organization="inkless",
        addresses=inputs.addresses,
        days=365,
    )
    put(inputs.secret_id, forged.pem())
    found = CERTIFICATE.read(inputs.secret_id, inputs, outputs, CONTEXT)
    assert found is not None
    real, seen = found
    assert real.ca_fingerprint != inputs.ca_fingerprint
    repaired = CERTIFICATE.update(inputs.secret_id, real, seen, inputs, CONTEXT)
    assert CERTIFICATE.read(inputs.secret_id, inputs, repaired, CONTEXT) == (inputs, repaired)


@pytest.mark.parametrize("text", ["", "garbage", "-----BEGIN PRIVATE KEY-----\n"])
def test_a_value_that_is_no_certificate_counts_as_gone(
    inputs: CertificateInputs, text: str
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    put(inputs.secret_id, text or " ")
    assert CERTIFICATE.read(inputs.secret_id, inputs, outputs, CONTEXT) is None


def test_a_certificate_with_the_key_of_another_counts_as_gone(inputs: CertificateInputs) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    identity = pki.parse(value_of(inputs.secret_id))
    other = pki.Identity(ec.generate_private_key(ec.SECP256R1()), identity.certificate)
    put(inputs.secret_id, other.pem())
    assert CERTIFICATE.read(inputs.secret_id, inputs, outputs, CONTEXT) is None


def test_a_deleted_secret_counts_as_gone(
    inputs: CertificateInputs,
    authority_inputs: CertificateAuthorityInputs,
    authority: CertificateAuthorityOutputs,
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    for secret in (inputs.secret_id, inputs.ca_secret_id):
        delete(secret)
    assert CERTIFICATE.read(inputs.secret_id, inputs, outputs, CONTEXT) is None
    assert AUTHORITY.read(authority_inputs.secret_id, authority_inputs, authority, CONTEXT) is None


def test_a_new_address_makes_a_new_key_in_the_same_secret(inputs: CertificateInputs) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    before = value_of(inputs.secret_id)
    moved = inputs.model_copy(update={"addresses": ["10.42.1.11"]})
    updated = CERTIFICATE.update(inputs.secret_id, inputs, outputs, moved, CONTEXT)
    assert updated.fingerprint != outputs.fingerprint
    assert value_of(inputs.secret_id).splitlines()[1] != before.splitlines()[1]


def test_an_update_that_changes_nothing_on_the_certificate_keeps_it(
    inputs: CertificateInputs,
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    assert CERTIFICATE.update(inputs.secret_id, inputs, outputs, inputs, CONTEXT) == outputs


def outputs_of(certificate: x509.Certificate) -> CertificateOutputs:
    return CertificateOutputs(
        certificate=pki.pem_of(certificate),
        fingerprint=pki.fingerprint(certificate),
        not_after=pki.not_after(certificate),
    )


@pytest.mark.parametrize(
    ("days_left", "of", "renewed"),
    [(121, 365, True), (122, 365, False), (3, 9, True), (3.1, 9, False)],
)
def test_a_certificate_is_renewed_in_the_last_third_of_its_life(
    days_left: float, of: int, renewed: bool
) -> None:
    left = timedelta(days=days_left) - timedelta(minutes=1)
    outputs = outputs_of(aged_certificate(days=of, left=left))
    assert list(CERTIFICATE.stale({"validity_days": of}, outputs)) == ["not_after"] * renewed


def test_the_life_of_a_certificate_that_its_authority_cut_is_the_shorter_one() -> None:
    outputs = outputs_of(aged_certificate(days=9, left=timedelta(days=5)))
    assert not list(CERTIFICATE.stale({"validity_days": 365}, outputs))


def test_a_renewal_signs_anew_although_nothing_else_changed(inputs: CertificateInputs) -> None:
    short = inputs.model_copy(update={"validity_days": 1})
    identity = pki.issue(
        pki.parse(value_of(inputs.ca_secret_id)),
        common_name="node-1",
        organizational_unit="nodes",
        organization="inkless",
        addresses=inputs.addresses,
        days=0,
    )
    put(inputs.secret_id, identity.pem())
    found = CERTIFICATE.read(inputs.secret_id, short, None, CONTEXT)
    assert found is not None
    updated = CERTIFICATE.update(inputs.secret_id, short, found[1], short, CONTEXT)
    assert updated.not_after > found[1].not_after


def test_another_text_for_the_renewal_signs_anew(inputs: CertificateInputs) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    asked = inputs.model_copy(update={"renewal": "key was seen"})
    renewed = CERTIFICATE.update(inputs.secret_id, inputs, outputs, asked, CONTEXT)
    assert renewed.fingerprint != outputs.fingerprint
    assert CERTIFICATE.read(inputs.secret_id, asked, renewed, CONTEXT) == (asked, renewed)


def test_an_import_reads_everything_from_the_certificate(inputs: CertificateInputs) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    found = CERTIFICATE.read(inputs.secret_id, None, None, CONTEXT)
    assert found is not None
    assert found == (inputs.model_copy(update={"ca_secret_id": ""}), outputs)


def test_the_authorities_that_a_client_is_told_to_trust_are_before_its_key(
    inputs: CertificateInputs, authority: CertificateAuthorityOutputs
) -> None:
    plain = CERTIFICATE.create(inputs, CONTEXT).outputs
    asked = inputs.model_copy(update={"with_authorities": True})
    outputs = CERTIFICATE.update(inputs.secret_id, inputs, plain, asked, CONTEXT)
    text = value_of(inputs.secret_id)
    assert text.startswith(authority.certificate)
    assert pki.pem_of(pki.parse(text).certificate) == outputs.certificate
    assert CERTIFICATE.read(inputs.secret_id, asked, outputs, CONTEXT) == (asked, outputs)
    # A text that has lost them is drift.
    put(inputs.secret_id, text.removeprefix(authority.certificate))
    assert CERTIFICATE.read(inputs.secret_id, asked, outputs, CONTEXT) == (inputs, outputs)


def test_another_way_to_the_store_must_lead_to_the_same_authority(
    authority_inputs: CertificateAuthorityInputs, authority: CertificateAuthorityOutputs
) -> None:
    secret = authority_inputs.secret_id
    kept = AUTHORITY.update(secret, authority_inputs, authority, authority_inputs, CONTEXT)
    assert kept == authority
    elsewhere = authority_inputs.model_copy(
        update={"secret_store": STORE.model_copy(update={"region": "us-east-1"})}
    )
    with pytest.raises(InklessError, match="does not hold this certificate authority"):
        AUTHORITY.update(secret, authority_inputs, authority, elsewhere, CONTEXT)


@pytest.mark.parametrize(
    ("known", "path"),
    [
        ({"common_name": "x" * 65}, "common_name"),
        ({"organization": ""}, "organization"),
        ({"organizational_unit": ""}, "organizational_unit"),
        ({"validity_days": 0}, "validity_days"),
        ({"addresses": ["10.0.0.1", "not an address"]}, "addresses[1]"),
        ({"addresses": ["a.example", "a.example"]}, "addresses[1]"),
        ({"addresses": ["2001:0db8::1"]}, "addresses[0]"),
    ],
)
def test_what_x509_cannot_hold_is_refused(known: dict[str, object], path: str) -> None:
    assert [problem.path for problem in CERTIFICATE.check(known, None)] == [path]


def test_an_interrupted_creation_takes_up_what_it_stored(
    inputs: CertificateInputs,
    authority_inputs: CertificateAuthorityInputs,
    authority: CertificateAuthorityOutputs,
) -> None:
    outputs = CERTIFICATE.create(inputs, CONTEXT).outputs
    held = value_of(inputs.secret_id)
    assert AUTHORITY.create(authority_inputs, CONTEXT).outputs == authority
    assert CERTIFICATE.create(inputs, CONTEXT).outputs == outputs
    assert value_of(inputs.secret_id) == held


def test_a_creation_signs_anew_what_an_interrupted_one_stored_for_another_address(
    inputs: CertificateInputs,
) -> None:
    CERTIFICATE.create(inputs, CONTEXT)
    moved = inputs.model_copy(update={"addresses": ["10.42.1.11"]})
    outputs = CERTIFICATE.create(moved, CONTEXT).outputs
    assert CERTIFICATE.read(inputs.secret_id, moved, outputs, CONTEXT) == (moved, outputs)


@pytest.mark.parametrize("value", ["a password", "another node's", "another authority's"])
def test_a_secret_that_holds_something_else_is_left_as_it_is(
    inputs: CertificateInputs, authority_inputs: CertificateAuthorityInputs, value: str
) -> None:
    if value == "another node's":
        CERTIFICATE.create(inputs.model_copy(update={"common_name": "node-2"}), CONTEXT)
    else:
        foreign = pki.new_authority(common_name="their-ca", organization="inkless", days=9)
        put(inputs.secret_id, foreign.pem() if "authority" in value else value)
    held = value_of(inputs.secret_id)
    with pytest.raises(SecretStoreError, match=r"holds something else.*secret of its own"):
        CERTIFICATE.create(inputs, CONTEXT)
    with pytest.raises(SecretStoreError, match=r"holds something else.*secret of its own"):
        AUTHORITY.create(
            authority_inputs.model_copy(update={"secret_id": inputs.secret_id}), CONTEXT
        )
    assert value_of(inputs.secret_id) == held


def test_an_authority_is_not_renamed(authority_inputs: CertificateAuthorityInputs) -> None:
    before, after = {"common_name": "inkless-ca"}, {"common_name": "another-ca"}
    (problem,) = AUTHORITY.check(after, before)
    assert problem.path == "common_name"
    assert "secret of its own" in problem.remedy
    assert not list(AUTHORITY.check(before, before))

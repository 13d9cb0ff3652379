"""An authority is succeeded by one that is trusted by whoever trusts the first."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from inkless_pulumi.provider import pki
from inkless_pulumi.provider.certificate_authority import (
    CertificateAuthority,
    CertificateAuthorityInputs,
    CertificateAuthorityOutputs,
)
from inkless_pulumi.provider.kafka.tls import client_context
from tests.unit.provider.aged_certificates import aged_certificate
from tests.unit.provider.secret_manager import (
    CONTEXT,
    STORE,
    new_secret,
    put,
    value_of,
)

AUTHORITY = CertificateAuthority()


pytestmark = pytest.mark.usefixtures("aws_account")


@pytest.fixture
def inputs() -> CertificateAuthorityInputs:
    return CertificateAuthorityInputs(secret_id=new_secret("ca"), secret_store=STORE)


@pytest.fixture
def outputs(inputs: CertificateAuthorityInputs) -> CertificateAuthorityOutputs:
    return AUTHORITY.create(inputs, CONTEXT).outputs


def asked(inputs: CertificateAuthorityInputs, text: str = "once") -> CertificateAuthorityInputs:
    return inputs.model_copy(update={"renewal": text})


def renew(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs, text: str = "once"
) -> CertificateAuthorityOutputs:
    return AUTHORITY.update(inputs.secret_id, inputs, outputs, asked(inputs, text), CONTEXT)


def leaf_of(secret_id: str, *, with_authorities: bool = False) -> pki.Identity:
    return pki.issue(
        pki.parse(value_of(secret_id)),
        common_name="node-1",
        organizational_unit="nodes",
        organization="inkless",
        addresses=["127.0.0.1"],
        days=9,
        with_authorities=with_authorities,
    )


def accepts(trusted: str, leaf: pki.Identity, directory: Path) -> bool:
    """Whether a client that trusts these certificates connects to a server with that one."""
    return connects(ssl.create_default_context(cadata=trusted), leaf, directory)


def connects(
    client: ssl.SSLContext, leaf: pki.Identity, directory: Path, trusted: str | None = None
) -> bool:
    """Whether a client connects to a server with that certificate, which asks for one of those
    who are trusted.
    """
    file = directory / "leaf.pem"
    file.write_text(leaf.pem())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    if trusted:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(cadata=trusted)
    near, far = socket.socketpair()

    def answer() -> None:
        with suppress(OSError), server.wrap_socket(far, server_side=True) as connection:
            connection.send(b"!")

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname="127.0.0.1") as connection:
            return connection.recv(1) == b"!"
    except (ssl.SSLError, ConnectionError):
        return False
    finally:
        near.close()
        thread.join()
        far.close()


def test_a_new_authority_is_trusted_by_those_who_know_only_the_old_one(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs, tmp_path: Path
) -> None:
    old_leaf = leaf_of(inputs.secret_id)
    renewed = renew(inputs, outputs)
    leaf = leaf_of(inputs.secret_id)
    new_alone = pki.pem_of(pki.parse(value_of(inputs.secret_id)).certificate)
    for trusted in (outputs.certificate, renewed.certificate, new_alone):
        assert accepts(trusted, leaf, tmp_path)
    # Both are told of, so that a node which is not renewed yet is accepted too.
    assert accepts(renewed.certificate, old_leaf, tmp_path)
    assert not accepts(new_alone, old_leaf, tmp_path)
    stranger = pki.new_authority(common_name="inkless-ca", organization="inkless", days=9)
    assert not accepts(pki.pem_of(stranger.certificate), leaf, tmp_path)


def test_who_trusts_what_its_secret_tells_reaches_nodes_of_the_old_authority_and_of_the_new(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs, tmp_path: Path
) -> None:
    old_node = leaf_of(inputs.secret_id)
    old_secret = leaf_of(inputs.secret_id, with_authorities=True).pem()
    renewed = renew(inputs, outputs)
    node = leaf_of(inputs.secret_id)
    new_secret = leaf_of(inputs.secret_id, with_authorities=True).pem()
    for secret in (old_secret, new_secret):
        administrator = client_context(None, secret)
        assert connects(administrator, old_node, tmp_path, trusted=outputs.certificate)
        assert connects(administrator, node, tmp_path, trusted=renewed.certificate)
    # It is trusted for as long as its own authority is, and trusts no one else's.
    new_alone = pki.pem_of(pki.parse(value_of(inputs.secret_id)).certificate)
    assert connects(client_context(None, new_secret), node, tmp_path, trusted=new_alone)
    assert not connects(client_context(None, old_secret), node, tmp_path, trusted=new_alone)
    stranger = pki.new_authority(common_name="inkless-ca", organization="inkless", days=9)
    put(inputs.secret_id, stranger.pem())
    assert not connects(client_context(None, new_secret), leaf_of(inputs.secret_id), tmp_path)


def test_who_brings_its_authority_at_the_end_of_its_chain_trusts_that_one(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs, tmp_path: Path
) -> None:
    secret = leaf_of(inputs.secret_id).pem()
    node = leaf_of(inputs.secret_id)
    assert connects(client_context(None, secret), node, tmp_path, trusted=outputs.certificate)


def test_two_renewals_cut_nobody_off(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs, tmp_path: Path
) -> None:
    second = renew(inputs, outputs)
    third = AUTHORITY.update(
        inputs.secret_id, asked(inputs), second, asked(inputs, "twice"), CONTEXT
    )
    leaf = leaf_of(inputs.secret_id)
    for trusted in (outputs.certificate, second.certificate, third.certificate):
        assert accepts(trusted, leaf, tmp_path)
    assert third.certificate.count("BEGIN CERTIFICATE") == 3


def test_what_java_is_sent_ends_with_what_the_old_authority_signed(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs
) -> None:
    # Java follows a chain to its end: with the new authority at the end, it would not ask whether
    # the old one signed the link (seen on Java 17).
    renew(inputs, outputs)
    leaf = leaf_of(inputs.secret_id)
    (link,) = leaf.links
    assert leaf.roots == ()
    assert pki.fingerprint(link) != outputs.fingerprint
    assert leaf.pem().count("BEGIN CERTIFICATE") == 2


def test_an_authority_that_has_ended_is_not_told_of_any_more(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs
) -> None:
    ended = pki.new_authority(common_name="inkless-ca", organization="inkless", days=0)
    put(inputs.secret_id, ended.pem())
    found = AUTHORITY.read(inputs.secret_id, inputs, outputs, CONTEXT)
    assert found is not None
    renewed = renew(inputs, found[1])
    assert renewed.certificate.count("BEGIN CERTIFICATE") == 1
    assert leaf_of(inputs.secret_id).links == ()


def test_an_authority_in_the_last_third_of_its_life_is_renewed(
    inputs: CertificateAuthorityInputs,
) -> None:
    old = pki.new_authority(common_name="inkless-ca", organization="inkless", days=1)
    put(inputs.secret_id, old.pem())
    outputs = AUTHORITY.create(inputs, CONTEXT).outputs
    short = {"validity_days": 1}
    assert not list(AUTHORITY.stale(short, outputs))
    assert AUTHORITY.preview(short, outputs) == dict(outputs)
    old_one = aged_certificate(days=1, left=timedelta(hours=7))
    late = outputs.model_copy(
        update={"certificate": pki.pem_of(old_one), "not_after": pki.not_after(old_one)}
    )
    assert list(AUTHORITY.stale(short, late)) == ["not_after"]
    assert AUTHORITY.preview(short, late) == {}, "what follows from it is not known yet"


def test_a_renewal_that_was_interrupted_is_found_done(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs
) -> None:
    renewed = renew(inputs, outputs)
    held = value_of(inputs.secret_id)
    assert renew(inputs, outputs) == renewed, "the first one was never recorded"
    assert value_of(inputs.secret_id) == held


def test_what_was_asked_for_once_is_done_once(
    inputs: CertificateAuthorityInputs, outputs: CertificateAuthorityOutputs
) -> None:
    assert AUTHORITY.preview({"renewal": "once"}, outputs) == {}
    renewed = renew(inputs, outputs)
    assert AUTHORITY.preview({"renewal": "once"}, renewed) == dict(renewed)
    again = AUTHORITY.update(inputs.secret_id, asked(inputs), renewed, asked(inputs), CONTEXT)
    assert again == renewed
    found = AUTHORITY.read(inputs.secret_id, asked(inputs), renewed, CONTEXT)
    assert found == (asked(inputs), renewed)

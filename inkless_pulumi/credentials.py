"""Certificates and passwords that are made by the plugin and kept in the cloud's secret store."""

from typing import NotRequired, TypedDict

import pulumi

from inkless_pulumi._resource import InklessResource, SecretStoreArgs

__all__ = [
    "Certificate",
    "CertificateArgs",
    "CertificateAuthority",
    "CertificateAuthorityArgs",
    "Password",
    "PasswordArgs",
    "SecretStoreArgs",
]


class CertificateAuthorityArgs(TypedDict):
    """Arguments of CertificateAuthority."""

    secret_id: pulumi.Input[str]
    """Id of the secret that receives the authority's key and certificate, as PEM."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where that secret is."""
    common_name: NotRequired[pulumi.Input[str]]
    """The authority's common name. Default: `inkless-ca`."""
    organization: NotRequired[pulumi.Input[str]]
    """The authority's organization. Default: `inkless`."""
    validity_days: NotRequired[pulumi.Input[int]]
    """How long the authority is valid, in days; another number counts from its next renewal. An
    update in the last third of that time renews it. Default: 3650."""
    renewal: NotRequired[pulumi.Input[str]]
    """Any text; another one renews the authority with the next update. Default: none."""


class CertificateAuthority(InklessResource):
    """A certificate authority of a service's own.

    Its private key is made by the plugin and kept in the secret store only. A renewed authority has
    a new key in the same secret; whoever trusts the old one trusts what the new one signs, for as
    long as the old one lasts. Deleting the resource leaves the value to the secret, which is
    deleted with its own resource.
    """

    certificate: pulumi.Output[str]
    """The certificate as PEM, followed by those before it that have not ended; public."""
    fingerprint: pulumi.Output[str]
    """SHA-256 of the certificate, in hexadecimal."""
    not_after: pulumi.Output[str]
    """When it expires: RFC 3339, UTC."""
    renewed_for: pulumi.Output[str]
    """The `renewal` that it was last renewed for."""

    _token = "inkless:index:CertificateAuthority"
    _args = CertificateAuthorityArgs

    def __init__(
        self,
        resource_name: str,
        args: CertificateAuthorityArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)


class CertificateArgs(TypedDict):
    """Arguments of Certificate."""

    ca_secret_id: pulumi.Input[str]
    """Id of the secret with the authority's key and certificate (see CertificateAuthority)."""
    ca_fingerprint: pulumi.Input[str]
    """Fingerprint of the authority. Another one means: sign a new certificate."""
    secret_id: pulumi.Input[str]
    """Id of the secret that receives key, certificate and the authority's certificate, as PEM."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where both secrets are."""
    common_name: pulumi.Input[str]
    """Common name of the subject, for example `node-1`."""
    organizational_unit: pulumi.Input[str]
    """Organizational unit of the subject, for example `nodes`."""
    organization: NotRequired[pulumi.Input[str]]
    """Organization of the subject. Default: `inkless`."""
    addresses: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """IP addresses and host names that the certificate is for. Default: none (a client's)."""
    validity_days: NotRequired[pulumi.Input[int]]
    """How long the certificate is valid, in days. An update in the last third of that time renews
    it. Default: 365."""
    with_authorities: NotRequired[pulumi.Input[bool]]
    """Whether the secret also gets the certificates of the authorities, before the key: for a
    client that learns from its secret alone whom to trust. Not for a node: Kafka sends every
    certificate of its file. Default: false."""
    renewal: NotRequired[pulumi.Input[str]]
    """Any text; another one renews the certificate with the next update. Default: none."""


class Certificate(InklessResource):
    """A private key and a certificate for it, signed by a CertificateAuthority.

    The key is made by the plugin and kept in the secret store only. A change of what the
    certificate says makes a new key and certificate in the same secret. Deleting the resource
    leaves the value to the secret, which is deleted with its own resource.
    """

    certificate: pulumi.Output[str]
    """The certificate as PEM; public."""
    fingerprint: pulumi.Output[str]
    """SHA-256 of the certificate, in hexadecimal."""
    not_after: pulumi.Output[str]
    """When it expires: RFC 3339, UTC."""

    _token = "inkless:index:Certificate"
    _args = CertificateArgs

    def __init__(
        self,
        resource_name: str,
        args: CertificateArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)


class PasswordArgs(TypedDict):
    """Arguments of Password."""

    secret_id: pulumi.Input[str]
    """Id of the secret that receives the password as its whole value."""
    secret_store: pulumi.Input[SecretStoreArgs]
    """Where that secret is."""
    length: NotRequired[pulumi.Input[int]]
    """Number of characters, from 16 to 128. A change makes a new password. Default: 32."""


class Password(InklessResource):
    """A random password, written into a secret of the cloud's secret store.

    Deleting the resource leaves the value to the secret, which is deleted with its own resource.
    """

    value: pulumi.Output[str]
    """The password: letters and digits only. A secret output, encrypted in state."""
    version_id: pulumi.Output[str]
    """The version of the secret that holds it."""

    _token = "inkless:index:Password"
    _args = PasswordArgs

    def __init__(
        self,
        resource_name: str,
        args: PasswordArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, args, opts)

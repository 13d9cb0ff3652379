"""Keys, certificates and passwords: the secrets that hold them, and who makes their values.

The secrets are ordinary resources; their values are made by the plugin and go straight into the
secret store. State knows ids, fingerprints and expiry dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.core.plan import ClusterPlan
from inkless_pulumi.credentials import (
    Certificate,
    CertificateArgs,
    CertificateAuthority,
    CertificateAuthorityArgs,
    SecretStoreArgs,
)

__all__ = ["Credentials", "SecretStoreArgs", "make_credentials", "secret", "secret_store"]

_RECOVERY_DAYS = 30


@dataclass(frozen=True)
class NodeCredentials:
    """The identity of one node."""

    secret_id: pulumi.Output[str]
    """The secret that holds its key and certificate."""
    certificate: Certificate


@dataclass(frozen=True)
class Credentials:
    """The identities of a service."""

    store: SecretStoreArgs
    authority: CertificateAuthority
    authority_secret_id: pulumi.Output[str]
    admin_secret_id: pulumi.Output[str]
    admin: Certificate
    nodes: Mapping[int, NodeCredentials]


def secret_store(region: str, profile: str | None) -> SecretStoreArgs:
    """The account's Secrets Manager, as the plugin is told of it."""
    store: SecretStoreArgs = {"kind": "aws-secrets-manager", "region": region}
    if profile is not None:
        store["profile"] = profile
    return store


def secret(scope: Scope, part: str, key_arn: pulumi.Input[str]) -> aws.secretsmanager.Secret:
    """A secret without a value yet."""
    return aws.secretsmanager.Secret(
        scope.named(part),
        kms_key_id=key_arn,
        recovery_window_in_days=_RECOVERY_DAYS if scope.deletion_protection else 0,
        tags=scope.tagged(part),
        opts=scope.options(),
    )


def make_credentials(
    scope: Scope,
    plan: ClusterPlan,
    addresses: Mapping[int, pulumi.Output[str]],
    key_arn: pulumi.Output[str],
    store: SecretStoreArgs,
    *,
    ca_renewal: pulumi.Input[str] | None,
    certificate_renewal: pulumi.Input[str] | None,
) -> Credentials:
    """Make the service's CA, a certificate a node with its address, and the administrator's."""
    authority_secret = secret(scope, "ca-key", key_arn)
    wanted: CertificateAuthorityArgs = {"secret_id": authority_secret.arn, "secret_store": store}
    if ca_renewal is not None:
        wanted["renewal"] = ca_renewal
    authority = CertificateAuthority(scope.named("ca-certificate"), wanted, opts=scope.options())

    def certificate(
        part: str,
        common_name: str,
        unit: str,
        addresses: list[pulumi.Input[str]],
        *,
        with_authorities: bool = False,
    ) -> NodeCredentials:
        holder = secret(scope, f"{part}-key", key_arn)
        wanted: CertificateArgs = {
            "ca_secret_id": authority_secret.arn,
            "ca_fingerprint": authority.fingerprint,
            "secret_id": holder.arn,
            "secret_store": store,
            "common_name": common_name,
            "organizational_unit": unit,
            "addresses": addresses,
        }
        if with_authorities:
            wanted["with_authorities"] = True
        if certificate_renewal is not None:
            wanted["renewal"] = certificate_renewal
        issued = Certificate(scope.named(f"{part}-certificate"), wanted, opts=scope.options())
        return NodeCredentials(holder.arn, issued)

    admin = certificate("admin", "inkless-admin", "admins", [], with_authorities=True)
    return Credentials(
        store=store,
        authority=authority,
        authority_secret_id=authority_secret.arn,
        admin_secret_id=admin.secret_id,
        admin=admin.certificate,
        nodes={
            node.node_id: certificate(node.name, node.name, "nodes", [addresses[node.node_id]])
            for node in plan.nodes
        },
    )

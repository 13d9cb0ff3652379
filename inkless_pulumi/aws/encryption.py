"""The service's own KMS key: for the bucket, the volumes, the database and the secrets."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.scope import Scope

_DAYS_TO_CHANGE_ONES_MIND = 30
"""KMS's longest waiting period: a deleted key is the loss of everything it encrypted."""


def encryption_key(scope: Scope, given: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """The ARN of the key to use: the given one, or one of the service's own that rotates yearly.

    Its policy is KMS's default one: the account's IAM policies decide who may use it.
    """
    if given is not None:
        return pulumi.Output.from_input(given)
    key = aws.kms.Key(
        scope.named("key"),
        description=f"Encrypts the data of the Inkless service {scope.name}",
        enable_key_rotation=True,
        deletion_window_in_days=_DAYS_TO_CHANGE_ONES_MIND,
        tags=scope.tagged("key"),
        opts=scope.keeping_data(),
    )
    return key.arn

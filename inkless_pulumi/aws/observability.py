"""Where the nodes' logs go."""

from __future__ import annotations

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup

from inkless_pulumi.aws.scope import Scope


def log_group(scope: Scope, retention_days: pulumi.Input[int]) -> LogGroup:
    """The service's log group, encrypted with CloudWatch's own key; no log holds a secret."""
    return LogGroup(
        scope.named("logs"),
        retention_in_days=retention_days,
        tags=scope.tagged("logs"),
        opts=scope.options(),
    )

"""The cluster plan of a service: its nodes, and the figures that follow from their number.

Pure and stable; `layout` has the arithmetic. A plan exists only of a declaration that keeps every
rule, so whoever holds one can render and build without checking again.
"""

from inkless_pulumi.core.cluster_model import ClusterPlan, NodePlan, Role
from inkless_pulumi.core.layout import lay_out
from inkless_pulumi.core.service_model import ServiceDeclaration
from inkless_pulumi.core.service_rules import check_service

__all__ = ["ClusterPlan", "NodePlan", "Role", "plan_cluster"]


def plan_cluster(declaration: ServiceDeclaration) -> ClusterPlan:
    """The plan of a declaration. Raises DeclarationError when the declaration breaks a rule."""
    check_service(declaration)
    return lay_out(declaration)

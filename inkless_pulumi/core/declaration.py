"""What a user declares of a service, and the one door it comes in through.

`declare()` turns plain arguments into a frozen `ServiceDeclaration`, or raises one DeclarationError
that names every broken rule at once.
"""

from typing import Any

from pydantic import ValidationError

from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.model_errors import problems_of
from inkless_pulumi.core.service_model import (
    ClusterType,
    NetworkDeclaration,
    ServiceDeclaration,
    SettingValue,
    StorageDeclaration,
)
from inkless_pulumi.core.service_rules import check_cluster_type_change, check_service

__all__ = [
    "ClusterType",
    "NetworkDeclaration",
    "ServiceDeclaration",
    "SettingValue",
    "StorageDeclaration",
    "check_cluster_type_change",
    "declare",
]


def declare(**plain: Any) -> ServiceDeclaration:
    """Check plain arguments and return the declaration they make.

    Nested arguments (`storage`, `network`) are mappings or models. Raises DeclarationError with a
    problem for each broken rule; problems of structure hide those that need sound structure.
    """
    try:
        declaration = ServiceDeclaration.model_validate(plain)
    except ValidationError as error:
        problems = problems_of(error, ServiceDeclaration)
        raise DeclarationError(problems, _subject(plain.get("name"))) from None
    check_service(declaration)
    return declaration


def _subject(name: object) -> str:
    return f'service "{name}"' if isinstance(name, str) else "service"

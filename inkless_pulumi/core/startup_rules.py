"""Stub."""

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.service_model import ServiceDeclaration


def declared_settings_problems(service: ServiceDeclaration) -> list[Problem]:
    """Stub."""
    return []

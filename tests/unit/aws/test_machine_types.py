"""Machine types: what their names tell, and that every plan has what it promises."""

import pytest

from inkless_pulumi.aws.machine_types import (
    MACHINE_TYPES,
    architecture_of,
    database_connection_problems,
)
from inkless_pulumi.core.plans import PLANS


@pytest.mark.parametrize(
    "name", ["t4g.small", "m7g.large", "c7gn.xlarge", "im4gn.large", "a1.large", "x2gd.medium"]
)
def test_graviton_families_are_arm(name: str) -> None:
    assert architecture_of(name) == "arm64"


@pytest.mark.parametrize(
    "name",
    ["t3.medium", "m7i-flex.large", "g4dn.xlarge", "u-6tb1.metal", "i4i.2xlarge", "m5a.large"],
)
def test_other_families_are_intel_or_amd(name: str) -> None:
    assert architecture_of(name) == "amd64"


@pytest.mark.parametrize("name", ["", "large", "m7g", "M7G.large", "m7g large"])
def test_what_is_not_a_machine_type_has_no_architecture(name: str) -> None:
    assert architecture_of(name) is None


def test_every_plan_has_machines_of_both_architectures() -> None:
    assert set(MACHINE_TYPES) == set(PLANS)
    for types in MACHINE_TYPES.values():
        for by_architecture in (types.broker, types.controller):
            for architecture, name in by_architecture.items():
                assert architecture_of(name) == architecture


def test_a_database_class_too_small_for_the_nodes_is_refused() -> None:
    assert database_connection_problems("db.t4g.micro", 300)
    assert not database_connection_problems("db.t4g.medium", 300)


def test_a_database_class_of_unknown_size_is_taken_on_trust() -> None:
    assert not database_connection_problems("db.x9.gigantic", 5000)

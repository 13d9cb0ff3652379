"""What is refused before anything is created, as the person at the keyboard sees it."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
import pytest

from tests.engine.aws.rehearsal import ZONES, declare, service
from tests.engine.real_engine import Engine, EngineError, Program


def refusal(engine: Engine, program: Program) -> str:
    """What a preview that must fail says."""
    with pytest.raises(EngineError) as failed:
        engine.preview(program)
    return str(failed.value)


def test_a_wrong_declaration_is_told_in_one_line_and_creates_nothing(engine: Engine) -> None:
    said = refusal(engine, service(zones=["eu-west-1a", "eu-west-1b"]))
    assert 'error: service "kafka": zones = ["eu-west-1a", "eu-west-1b"]: has 2 zones' in said
    assert "Traceback" not in said
    assert "aws:" not in said


def test_another_cluster_type_is_refused_with_the_way_out(engine: Engine) -> None:
    engine.up(service())
    said = refusal(engine, service(cluster_type="classic", classic_eligible=True))
    assert 'set it back to "inkless"' in said


def test_zones_in_another_order_are_refused_while_data_is_protected(engine: Engine) -> None:
    engine.up(service(deletion_protection=True))
    said = refusal(engine, service(deletion_protection=True, zones=ZONES[::-1]))
    assert "protect" in said


def test_a_service_with_data_is_not_deleted(engine: Engine) -> None:
    engine.up(service(deletion_protection=True))
    said = refusal(engine, lambda: None)
    assert "protect" in said


def subnets(*, vpcs: int = 1) -> dict[str, pulumi.Output[str]]:
    """Three subnets of the user's own, in as many networks as asked for."""
    networks = [aws.ec2.Vpc(f"office-{n}", cidr_block=f"10.{n}.0.0/16") for n in range(vpcs)]
    return {
        zone: aws.ec2.Subnet(
            f"office-subnet-{place}",
            vpc_id=networks[place % vpcs].id,
            availability_zone=zone,
            cidr_block=f"10.{place % vpcs}.{place}.0/24",
        ).id
        for place, zone in enumerate(ZONES)
    }


def in_existing(given: Mapping[str, pulumi.Input[str]]) -> None:
    declare(subnet_ids=given, client_cidrs=["10.0.0.0/16"])


def ids(engine: Engine) -> dict[str, str]:
    """The ids of the subnets that were made, by zone, as somebody would write them down."""
    return {
        zone: engine.resources()[f"office-subnet-{place}"]["id"] for place, zone in enumerate(ZONES)
    }


def test_a_subnet_outside_of_its_zone_is_refused(engine: Engine) -> None:
    engine.up(lambda: subnets() and None)
    made = ids(engine)
    mixed_up = dict(zip(ZONES, [made[ZONES[1]], made[ZONES[0]], made[ZONES[2]]], strict=True))

    said = refusal(engine, lambda: subnets() and in_existing(mixed_up))
    assert 'subnet_ids["eu-west-1a"]' in said
    assert "the subnet is in zone eu-west-1b, not in eu-west-1a" in said
    assert "Traceback" not in said


def test_subnets_of_different_networks_are_refused(engine: Engine) -> None:
    engine.up(lambda: subnets(vpcs=2) and None)
    made = ids(engine)
    said = refusal(engine, lambda: subnets(vpcs=2) and in_existing(made))
    assert "take all three from one network" in said

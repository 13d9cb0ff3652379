"""What is refused before anything is created, as the person at the keyboard sees it."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
import pytest

from inkless_pulumi import DisklessTopic, DisklessTopicArgs, TopicSet, TopicSetArgs
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


def test_what_a_topic_wants_of_its_service_is_known_before_the_service_is_there(
    engine: Engine,
) -> None:
    def too_many_replicas() -> None:
        wide: TopicSetArgs = {
            "topics": {"orders": {"kind": "classic", "partitions": 3, "replication_factor": 5}},
            "connection": declare().connection,
        }
        TopicSet("topics", wide)

    said = refusal(engine, too_many_replicas)
    assert 'topics["orders"].replication_factor = 5: the service has 3 brokers' in said

    def no_diskless_ones() -> None:
        kafka = declare(cluster_type="classic", classic_eligible=True)
        events: DisklessTopicArgs = {
            "name": "events",
            "partitions": 3,
            "connection": kafka.connection,
        }
        DisklessTopic("events", events)

    assert "the service is a classic one, which has none" in refusal(engine, no_diskless_ones)


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


def three_subnets() -> None:
    subnets()


def in_two_networks() -> None:
    subnets(vpcs=2)


def ids(engine: Engine) -> dict[str, str]:
    """The ids of the subnets that were made, by zone, as somebody would write them down."""
    return {
        zone: engine.resources()[f"office-subnet-{place}"]["id"] for place, zone in enumerate(ZONES)
    }


def test_a_subnet_outside_of_its_zone_is_refused(engine: Engine) -> None:
    engine.up(three_subnets)
    made = ids(engine)
    mixed_up = dict(zip(ZONES, [made[ZONES[1]], made[ZONES[0]], made[ZONES[2]]], strict=True))

    def program() -> None:
        three_subnets()
        in_existing(mixed_up)

    said = refusal(engine, program)
    assert 'subnet_ids["eu-west-1a"]' in said
    assert "the subnet is in zone eu-west-1b, not in eu-west-1a" in said
    assert "Traceback" not in said


def test_subnets_of_different_networks_are_refused(engine: Engine) -> None:
    engine.up(in_two_networks)
    made = ids(engine)

    def program() -> None:
        in_two_networks()
        in_existing(made)

    said = refusal(engine, program)
    assert "take all three from one network" in said

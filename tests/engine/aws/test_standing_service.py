"""A service that stands: what it tells, what it keeps to itself, what it does not let happen."""

import re
from pathlib import Path

import pulumi
import pytest

from tests.engine.aws.conftest import account_environment
from tests.engine.aws.rehearsal import ZONES, Rehearsal, declare, operation_of, planned, service
from tests.engine.aws.test_refusals import refusal
from tests.engine.real_engine import Engine, EngineError, Run


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return Rehearsal.below(tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="module")
def deployed(rehearsal: Rehearsal, pulumi_command: Path) -> tuple[Engine, Run]:
    """One protected service for all tests here, which only look at it."""
    directory = rehearsal.directory.parent
    engine = Engine(directory, account_environment(directory, rehearsal), pulumi_command)
    return engine, engine.up(service(deletion_protection=True))


@pytest.fixture
def engine(deployed: tuple[Engine, Run]) -> Engine:
    return deployed[0]


def test_outputs_are_enough_for_another_stack(deployed: tuple[Engine, Run]) -> None:
    outputs = deployed[1].outputs
    connection = outputs["connection"]
    assert connection["bootstrap_servers"].count(":9094") == 3
    assert connection["identity_secret_id"].startswith("arn:aws:secretsmanager:")
    # Every topic records the connection; whom to trust is read from the secret.
    assert "CERTIFICATE" not in str(connection)
    assert "BEGIN CERTIFICATE" in outputs["ca_certificate"]
    assert outputs["client_properties"]["eu-west-1b"] == {
        "bootstrap.servers": outputs["bootstrap_servers"],
        "security.protocol": "SASL_SSL",
        "client.id": "kafka,diskless_az=eu-west-1b",
    }
    assert sorted(outputs["subnet_ids"]) == ZONES


def test_no_secret_is_readable_in_state(engine: Engine, rehearsal: Rehearsal) -> None:
    state = engine.state()
    assert len(rehearsal.secrets) == 6
    for secret in rehearsal.secrets:
        _, _, key = secret.rpartition("-----BEGIN PRIVATE KEY-----\n")
        key, _, _ = key.partition("\n-----END PRIVATE KEY-----")
        assert key
        assert key.replace("\n", "\\n") not in state
        assert secret not in state


def test_a_renamed_service_keeps_everything(engine: Engine) -> None:
    def renamed() -> None:
        options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="kafka")])
        declare("orders", options, deletion_protection=True)

    gone = {
        operation_of(step)
        for step in planned(engine.preview(renamed)).values()
        if step.type.startswith(("aws:s3/bucket:", "aws:rds/instance:", "aws:ebs/volume:"))
    }
    assert gone <= {"same", "update"}


def test_another_cluster_type_is_refused_with_the_way_out(engine: Engine) -> None:
    said = refusal(engine, service(cluster_type="classic", classic_eligible=True))
    assert 'set it back to "inkless"' in said


def test_zones_in_another_order_are_refused_with_the_way_out(engine: Engine) -> None:
    said = refusal(engine, service(deletion_protection=True, zones=ZONES[::-1]))
    assert "a node and its data volume can't move to another zone; set them back" in said


@pytest.mark.parametrize("change", [{"topology": "dedicated"}, {"plan": "large"}])
def test_another_topology_is_refused_with_the_way_out(
    engine: Engine, change: dict[str, str]
) -> None:
    said = refusal(engine, service(deletion_protection=True, **change))
    assert 'set topology="combined", also when another plan has another one by default' in said


HOLDS_DATA = ("aws:s3/bucket:Bucket", "aws:rds/instance:Instance", "aws:ebs/volume:Volume")


def test_all_that_holds_data_is_listed_and_nothing_is_deleted(engine: Engine) -> None:
    before = engine.resources()
    held = {r["urn"] for r in before.values() if r["type"] in HOLDS_DATA and r.get("protect")}
    assert len(held) == 5, "a bucket, a database, three volumes"

    with pytest.raises(EngineError) as destroyed:
        engine.destroy()
    for said in (
        str(destroyed.value),
        refusal(engine, lambda: None),
        refusal(engine, service("orders", deletion_protection=True)),
    ):
        refused = said.partition("because it is protected")[2]
        assert {urn for urn in held if f"{urn}'" in refused} == held
    assert engine.resources() == before


def test_all_that_would_be_replaced_is_listed(engine: Engine) -> None:
    def moved() -> None:
        def elsewhere(
            args: pulumi.ResourceTransformArgs,
        ) -> pulumi.ResourceTransformResult | None:
            if args.type_ != "aws:ebs/volume:Volume":
                return None
            props = {**args.props, "availabilityZone": "eu-west-1d"}
            return pulumi.ResourceTransformResult(props, args.opts)

        options = pulumi.ResourceOptions(transforms=[elsewhere])
        declare("kafka", options, deletion_protection=True)

    said = refusal(engine, moved)
    listed = re.findall(r'unable to replace resource "\S+::kafka-node-(\d)-data"', said)
    assert sorted(listed) == ["1", "2", "3"]

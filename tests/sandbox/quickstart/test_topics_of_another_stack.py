"""Another stack declares its topics, user and access on the service of the quick-start."""

import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from inkless_pulumi.cli import app
from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.provider.kafka.connection import ConnectionInputs
from inkless_pulumi.provider.kafka.model import Cluster, NewTopic, Refusal
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.topics.topic_set import TopicSet, TopicSetInputs
from inkless_pulumi.sandbox import lifecycle
from inkless_pulumi.sandbox.pulumi_stack import PulumiStack
from inkless_pulumi.sandbox.record_check import client_of, produce_and_consume
from inkless_pulumi.topic_files import read_topics
from tests.sandbox.local_kafka import wait_until
from tests.sandbox.quickstart.deployed import CHECKOUT, Deployed


@pytest.fixture(scope="module")
def application(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> PulumiStack:
    """The example of an application's stack, on the service of the quick-start."""
    home = deployed.home
    project = tmp_path_factory.mktemp("application") / "program"
    shutil.copytree(CHECKOUT / "examples" / "topics-in-another-stack", project)
    if not lifecycle.up(home).diskless:  # the stand-in image has classic topics only
        declared = project / "topics.yaml"
        declared.write_text(declared.read_text().replace("kind: diskless", "kind: classic"))
    stack = deployed.stack_of("application", project)
    with deployed.secrets_client() as secrets:
        arn = secrets.create_secret(Name="orders-service")["ARN"]
    platform = "organization/inkless-quickstart/sandbox"
    stack.create({"platform": platform, "userSecretId": arn})
    return stack


def test_another_stack_has_its_topics_user_and_access_on_the_service(
    deployed: Deployed, application: PulumiStack
) -> None:
    application.up(Console(record=True, file=io.StringIO()))
    assert application.preview_changes() == 0
    assert application.refresh_changes() == 0
    outputs = application.outputs()
    assert set(outputs["topic_ids"]) == {
        "orders.created",
        "orders.shipped",
        "orders.audit",
        "orders.by-customer",
    }
    trusted = {"ca_certificate": deployed.outputs()["ca_certificate"]}
    client = client_of(deployed.home, outputs | trusted)
    check = produce_and_consume(client, "orders.created", 100)
    assert (check.produced, check.consumed) == (100, 100)


def test_replicas_are_moved_while_the_topic_is_used(
    deployed: Deployed, application: PulumiStack
) -> None:
    declared = application.directory / "program" / "topics.yaml"
    before = declared.read_text()
    audit = "  orders.audit:\n"
    for factor in (2, 3):
        more = f"{audit}    replication_factor: {factor}\n"
        settings = "      min.insync.replicas: 1\n"
        text = before.replace(audit, more).replace("365d\n", f"365d\n{settings}")
        declared.write_text(text)
        application.up(Console(file=io.StringIO()))
        with deployed.cluster() as cluster:
            found = [p for p in cluster.nodes.partitions() if p.topic == "orders.audit"]
            assert cluster.partitions.throttled() == {}
            assert not [name for name in cluster.settings.describe() if "throttled" in name]
        assert {len(partition.replicas) for partition in found} == {factor}
        assert application.refresh_changes() == 0


def test_topics_are_exported_to_a_file_that_the_import_fits(
    deployed: Deployed, application: PulumiStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = deployed.home
    for name, value in lifecycle.environment(home, path=os.environ["PATH"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(deployed.outputs()["connection"]))
    file = tmp_path / "exported.yaml"
    told = CliRunner().invoke(app, ["topics", "export", "orders.*", "--output", str(file)])
    assert told.exit_code == 0, told.output
    assert "pulumi import --generate-code=false inkless:index:TopicSet topics 'orders.*'" in (
        told.output
    )
    exported = read_topics(file)
    assert set(exported) == set(application.outputs()["topic_ids"])
    assert exported["orders.by-customer"]["settings"]["cleanup.policy"] == "compact"

    adopting = adopted(deployed, file, tmp_path / "program")
    protected = re.compile(r'"protect":\s*true')
    before = len(protected.findall(deployed.state()))
    words = ["import", "--yes", "--generate-code=false"]
    adopting._ask([*words, "inkless:index:TopicSet", "topics", "orders.*"])
    assert adopting.preview_changes() == 0
    assert len(protected.findall(deployed.state())) == before + 1
    again = CliRunner().invoke(app, ["topics", "export", "--output", str(file)])
    assert "exists already" in str(again.exception)


ADOPTING = """\
import json

from inkless_pulumi import TopicSet

with open("connection.json") as file:
    connection = json.load(file)
TopicSet("topics", {"file": "topics.yaml", "connection": connection})
"""


def adopted(deployed: Deployed, topics: Path, program: Path) -> PulumiStack:
    """A stack that declares what a file has, and has nothing yet."""
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: adopting\nruntime: python\n")
    (program / "__main__.py").write_text(ADOPTING)
    (program / "connection.json").write_text(json.dumps(deployed.outputs()["connection"]))
    shutil.copy(topics, program / "topics.yaml")
    stack = deployed.stack_of("adopting", program)
    stack.create({"adopting:nothing": "needed"})
    return stack


# What only an Inkless image can show


@pytest.fixture
def inkless(deployed: Deployed) -> Iterator[Cluster]:
    """The cluster, where its brokers have diskless topics."""
    account = lifecycle.up(deployed.home)
    if not account.diskless:
        pytest.skip(f"needs an Inkless image: {account.diskless_reason}")
    with deployed.cluster() as cluster:
        yield cluster


@pytest.mark.diskless
def test_a_diskless_topic_is_served_and_read_back_as_declared(
    deployed: Deployed, inkless: Cluster
) -> None:
    connection = ConnectionInputs.model_validate(deployed.outputs()["connection"])
    topic = {"kind": "diskless", "partitions": 3, "settings": {"retention.ms": "7d"}}
    declared = TopicSetInputs.model_validate(
        {"topics": {"real.diskless": topic}, "deletion_protection": False, "connection": connection}
    )
    resource, context = TopicSet(lambda *_: inkless), Context("real", "urn:real")
    made = resource.create(declared, context)
    assert inkless.partitions.ends(["real.diskless"])["real.diskless"].served
    assert resource.read(made.id, declared, made.outputs, context) == (declared, made.outputs)
    resource.delete(made.id, declared, made.outputs, context)


@pytest.mark.diskless
@pytest.mark.parametrize(
    "settings",
    [{"cleanup.policy": "compact"}, {"min.insync.replicas": "3"}, {"segment.bytes": "1048576"}],
    ids=lambda settings: next(iter(settings)),
)
def test_the_brokers_take_what_has_no_effect_on_a_diskless_topic(
    inkless: Cluster, settings: dict[str, str]
) -> None:
    # That is why the rules refuse it, or warn of it, at preview.
    request = NewTopic("idle", 1, None, {"diskless.enable": "true", **settings})
    assert isinstance(inkless.topics.create([request])["idle"], str)
    assert inkless.topics.delete(["idle"]) == {"idle": None}


@pytest.mark.diskless
@pytest.mark.parametrize(
    "settings",
    [
        {"diskless.enable": "true", "remote.storage.enable": "false"},
        {"diskless.enable": "true", "remote.storage.enable": "true"},
    ],
    ids=lambda settings: settings["remote.storage.enable"],
)
def test_the_brokers_refuse_tiered_storage_beside_diskless(
    inkless: Cluster, settings: dict[str, str]
) -> None:
    answer = inkless.topics.create([NewTopic("both", 1, None, settings)])["both"]
    assert isinstance(answer, Refusal)


@pytest.mark.diskless
def test_the_brokers_switch_no_topic_of_a_service_that_does_not_declare_it(
    inkless: Cluster,
) -> None:
    assert isinstance(inkless.topics.create([NewTopic("staying", 3, None, {})])["staying"], str)
    wait_until(lambda: bool(inkless.topics.describe(["staying"])), 20, "the brokers know it")
    answer = inkless.topics.alter({"staying": {"diskless.enable": "true"}})["staying"]
    assert "invalid to enable diskless on an already existing topic" in str(answer)
    assert set(inkless.partitions.switches(["staying"])["staying"].values()) == {"none"}
    assert inkless.topics.delete(["staying"]) == {"staying": None}


def test_a_stack_is_destroyed_after_its_protection_was_switched_off(
    application: PulumiStack,
) -> None:
    with pytest.raises(SandboxError):
        application.destroy(Console(file=io.StringIO()))
    assert len(application.outputs()["topic_ids"]) == 4
    application.configure({"deletionProtection": "false"})
    application.up(Console(file=io.StringIO()))
    application.destroy(Console(file=io.StringIO()))
    assert application.outputs() == {}

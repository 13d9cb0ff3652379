"""The start script of the image overlay, with a `java` that only notes how it was called."""

from pathlib import Path

import pytest

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.core.plans import PLANS
from inkless_pulumi.sandbox.making import find_or_install
from tests.unit.broker.rehearsal import CERTIFICATE, START, Rehearsal
from tests.unit.core.declarations import service

PROPERTIES = """node.id=1
ssl.keystore.location=/run/inkless/secrets/node.pem
ssl.truststore.location=/etc/inkless/ca.pem
inkless.control.plane.password=${file:/run/inkless/secrets/secrets.properties:database.password}
log.dirs=/var/lib/inkless/data
"""

# What Kafka's StorageTool does: the last log.dirs of the configuration gets a meta.properties.
FORMATS = """
case " $* " in *" kafka.tools.StorageTool "*) ;; *) exit 0 ;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = --config ]; then configuration=$2; fi
  shift
done
while IFS== read -r key value; do
  if [ "$key" = log.dirs ]; then directory=$value; fi
done <"$configuration"
: >"$directory/meta.properties"
"""


@pytest.fixture(params=["this machine", "BusyBox, as in Inkless's own image"])
def node(tmp_path: Path, request: pytest.FixtureRequest) -> Rehearsal:
    rehearsal = Rehearsal(tmp_path)
    if request.param != "this machine":
        try:
            rehearsal.is_a_busybox(find_or_install("busybox", ["busybox"], "by a test", print))
        except ToolchainError as error:
            pytest.skip(str(error))
    rehearsal.file("etc/inkless/server.properties", PROPERTIES)
    rehearsal.file("etc/inkless/ca.pem", CERTIFICATE)
    rehearsal.file("run/inkless/secrets/node.pem", CERTIFICATE)
    rehearsal.file("run/inkless/secrets/secrets.properties", "database.password=secret\n")
    (rehearsal.root / "var/lib/inkless").mkdir(parents=True)
    rehearsal.command("java", FORMATS)
    return rehearsal


def test_a_new_controller_is_formatted_as_one_of_the_first(node: Rehearsal) -> None:
    assert node.run(START, "format").status == 0
    assert "--initial-controllers 1@10.42.0.10:9093:kMGQk2WcTOyRmpWqmJ5rBg" in node.calls[0]
    assert (node.root / "var/lib/inkless/data/meta.properties").exists()


def test_a_controller_that_lost_its_storage_is_formatted_without_a_place(node: Rehearsal) -> None:
    node.run(START, "format", INKLESS_FORMATTED_BEFORE="yes")
    assert "--no-initial-controllers" in node.calls[0]


def test_a_broker_is_formatted_without_a_word_about_controllers(node: Rehearsal) -> None:
    node.node_environment["INKLESS_ROLES"] = "broker"
    node.run(START, "format", INKLESS_FORMATTED_BEFORE="yes")
    assert "controllers" not in node.calls[0]


def test_formatted_storage_is_left_alone(node: Rehearsal) -> None:
    node.file("var/lib/inkless/data/meta.properties", "kept")
    assert node.run(START, "format").status == 0
    assert node.calls == []


def test_an_interrupted_format_is_done_again_from_the_start(node: Rehearsal) -> None:
    node.file("var/lib/inkless/data.new/half-written")
    assert node.run(START, "format").status == 0
    data = node.root / "var/lib/inkless/data"
    assert [file.name for file in data.iterdir()] == ["meta.properties"]


def test_storage_that_holds_anything_else_is_not_touched(node: Rehearsal) -> None:
    kept = node.file("var/lib/inkless/data/topic-0/00000000000000000000.log", "records")
    outcome = node.run(START, "format")
    assert outcome.status == 78
    assert "holds files but no meta.properties" in outcome.said
    assert kept.read_text() == "records"


def test_unformatted_storage_is_not_started(node: Rehearsal) -> None:
    outcome = node.run(START)
    assert outcome.status == 78
    assert "is not formatted" in outcome.said


@pytest.mark.parametrize("content", ["", "database.password=\n", "other=secret\n"])
def test_a_missing_or_empty_secret_is_refused(node: Rehearsal, content: str) -> None:
    node.file("run/inkless/secrets/secrets.properties", content)
    outcome = node.run(START, "format")
    assert outcome.status == 78
    assert "inkless.control.plane.password refers to database.password" in outcome.said
    assert node.calls == []


def test_a_keystore_without_a_certificate_is_refused(node: Rehearsal) -> None:
    node.file("run/inkless/secrets/node.pem", "")
    outcome = node.run(START, "format")
    assert outcome.status == 78
    assert "ssl.keystore.location" in outcome.said


@pytest.mark.parametrize(
    ("memory", "asked", "heap"),
    [
        ("4096", "", 2048),
        ("65536", "", 8192),
        ("768", "", 384),
        ("400", "", 256),
        ("4096", "1024", 1024),
        ("4096", "4096", 3072),
    ],
)
def test_the_heap_follows_the_memory(node: Rehearsal, memory: str, asked: str, heap: int) -> None:
    node.file("var/lib/inkless/data/meta.properties")
    node.node_environment["INKLESS_HEAP_MIB"] = asked
    node.run(START, INKLESS_MEMORY_MIB=memory)
    assert f"-Xms{heap}m -Xmx{heap}m" in node.calls[0]


@pytest.mark.parametrize("memory", [400, *(plan.broker_memory_mib for plan in PLANS.values())])
@pytest.mark.parametrize("asked", [None, 300])
def test_the_heap_that_preview_counts_on_is_the_nodes(
    node: Rehearsal, memory: int, asked: int | None
) -> None:
    node.file("var/lib/inkless/data/meta.properties")
    node.node_environment["INKLESS_HEAP_MIB"] = str(asked or "")
    node.run(START, INKLESS_MEMORY_MIB=str(memory))
    assert f"-Xmx{service(heap_mib=asked).heap_of(memory)}m" in node.calls[0]


def test_kafka_replaces_the_script_so_that_sigterm_reaches_it(node: Rehearsal) -> None:
    node.file("var/lib/inkless/data/meta.properties")
    node.command("java", 'echo "pid $$"')
    script = node.root / "wrapper"
    script.write_text(f'#!/bin/sh\necho "script $$"; exec {START}\n')
    script.chmod(0o755)
    said = node.run(script).said
    assert said.split("script ")[1].split()[0] == said.split("pid ")[1].split()[0]

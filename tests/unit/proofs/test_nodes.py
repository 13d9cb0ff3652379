"""How long a node's restart took by itself is read from the consoles of its two machines."""

import json
from pathlib import Path

import pytest

from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.home import Home
from proofs.nodes import machines, restart_seconds

STOPPED = """\
2026-11-25T02:50:00.000Z machine: first boot of i-old
2026-11-25T02:50:12.000Z INFO  k.s.KafkaRaftServer: [KafkaRaftServer nodeId=1] Kafka Server started
2026-11-25T02:54:50.500Z machine: stopping inkless-node.service
2026-11-25T02:54:54.431Z machine: inkless-node.service: ended with status 143
2026-11-25T02:54:54.667Z machine: stopped
"""
STARTED = """\
2026-11-25T02:55:30.000Z machine: first boot of i-new
start: node 1 (broker), heap 384 MiB
2026-11-25T02:55:41.250Z INFO  k.s.KafkaRaftServer: [KafkaRaftServer nodeId=1] Kafka Server started
2026-11-25T02:56:41.250Z INFO  k.s.KafkaRaftServer: [KafkaRaftServer nodeId=1] Kafka Server started
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.logs.mkdir()
    machine.console(home, "i-old").write_text(STOPPED)
    machine.console(home, "i-new").write_text(STARTED)
    return home


def test_a_restart_is_the_stop_of_the_old_and_the_start_of_the_new(home: Home) -> None:
    (seconds,) = restart_seconds(home, {"node-1": "i-old"}, {"node-1": "i-new"})
    assert seconds == pytest.approx(4.167 + 11.25)


def test_what_was_not_replaced_was_not_restarted(home: Home) -> None:
    before = {"node-1": "i-old", "node-2": "i-gone"}
    after = {"node-1": "i-old", "node-3": "i-new"}
    assert restart_seconds(home, before, after) == []


def test_a_console_that_does_not_tell_is_no_measurement(home: Home) -> None:
    machine.console(home, "i-old").write_text(STOPPED.replace("machine: stopped", "cut off"))
    with pytest.raises(ValueError, match="no 'machine: stopped' after 'machine: stopping '"):
        restart_seconds(home, {"node-1": "i-old"}, {"node-1": "i-new"})


def test_a_machine_is_known_by_the_node_that_it_runs(home: Home) -> None:
    for instance, node_id in (("i-1", 1), ("i-2", 12)):
        environment = machine.root_directory(home, instance) / "etc/inkless/node.env"
        environment.parent.mkdir(parents=True)
        environment.write_text(f"INKLESS_NODE_ID={node_id}\nINKLESS_LOG_GROUP='kafka logs'\n")
        (home.instance(instance) / "machine.json").write_text(json.dumps({}))
    half_made = home.instance("i-3")
    half_made.mkdir(parents=True)
    (half_made / "machine.json").write_text(json.dumps({}))
    assert machines(home) == {"node-1": "i-1", "node-12": "i-2"}

"""Machines of a sandbox, from the user data that the core renders to a cluster that serves."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from inkless_pulumi.core.user_data import USER_DATA_LIMIT
from inkless_pulumi.sandbox import machine, processes
from tests.sandbox.local_cluster import (
    BUCKET,
    PASSWORD,
    LocalCluster,
    eventually,
    local_cluster,
)

START_SECONDS = 180


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("home")) as running:
        for node_id in running.addresses:
            running.start(node_id)
        wait_for_all(running)
        yield running


def wait_for_all(cluster: LocalCluster) -> None:
    for node_id in cluster.addresses:
        eventually(lambda: cluster.serves(node_id), START_SECONDS, f"node {node_id} serves")  # noqa: B023


def test_three_machines_become_a_cluster_of_three_voters(cluster: LocalCluster) -> None:
    assert set(cluster.voters(1)) == {1, 2, 3}
    assert {machine.state(cluster.home, cluster.machines[n]) for n in (1, 2, 3)} == {"running"}


def test_the_health_check_of_a_serving_node_passes(cluster: LocalCluster) -> None:
    engine = machine.container_engine(cluster.home)
    name = machine.container_name(cluster.home, cluster.machines[1])
    assert engine.run("exec", name, "/opt/inkless/bin/health").strip() == "serving"


@pytest.mark.parametrize(
    "metric",
    [
        "inkless_broker_state 3.0",
        "inkless_quorum_leader ",
        "kafka_controller_kafkacontroller_offlinepartitionscount ",
        "kafka_server_replicamanager_underreplicatedpartitions ",
        "kafka_server_replicamanager_underminisrpartitioncount ",
        "kafka_server_brokertopicmetrics_bytesin_total ",
        "kafka_server_kafkarequesthandlerpool_requesthandler_idle_ratio ",
        'kafka_network_requestmetrics_totaltimems{quantile="0.99",request="Produce"',
        "jvm_memory_used_bytes{",
    ],
)
def test_prometheus_finds_what_an_operator_alarms_on(cluster: LocalCluster, metric: str) -> None:
    url = f"http://{cluster.addresses[1]}:7071/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    assert any(line.startswith(metric) for line in lines)


def test_each_formatted_node_left_its_marker_in_the_bucket(cluster: LocalCluster) -> None:
    objects = cluster.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert sorted(o["Key"].rpartition("/")[2] for o in objects) == ["1", "2", "3"]


def test_kafka_runs_as_an_unprivileged_user(cluster: LocalCluster) -> None:
    engine = machine.container_engine(cluster.home)
    name = machine.container_name(cluster.home, cluster.machines[1])
    assert engine.run("exec", name, "id", "-u").strip() == str(os.getuid() or 1000)


def test_secrets_are_in_memory_only(cluster: LocalCluster) -> None:
    """Not in files, logs, command lines or environments; only below the machine's own /run."""
    found = secrets_found_in_files(cluster)
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            if int(process.name) != os.getpid() and PASSWORD.encode() in content:
                found.append(process / name)
    memory = machine.memory_directory(cluster.home, cluster.machines[1])
    assert PASSWORD in (memory / "inkless/secrets/secrets.properties").read_text()
    assert found == []


def secrets_found_in_files(cluster: LocalCluster) -> list[Path]:
    """The files of the home, not following links, that hold the password or a private key."""
    found = []
    for directory, _, names in os.walk(cluster.home.root):
        for path in (Path(directory, name) for name in names):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                if PASSWORD.encode() in content or b"\n-----BEGIN PRIVATE KEY" in content:
                    found.append(path)
    return found


def test_user_data_fits_with_room_for_a_user_s_settings(cluster: LocalCluster) -> None:
    compressed = len(cluster.user_data(1)) * 3 // 4
    assert compressed < USER_DATA_LIMIT * 3 // 4


def test_a_stopped_machine_shuts_kafka_down_cleanly_and_comes_back(cluster: LocalCluster) -> None:
    instance = cluster.machines[2]
    began = monotonic()
    machine.stop(cluster.home, instance)
    assert monotonic() - began < machine.STOP_SECONDS
    assert machine.state(cluster.home, instance) == "stopped"
    assert re.search(r"\[BrokerServer id=2\] shut down completed", cluster.console(instance))
    assert not machine.memory_directory(cluster.home, instance).exists()
    machine.resume(cluster.home, instance)
    wait_for_all(cluster)


def test_a_node_with_a_blank_volume_joins_as_a_new_voter(cluster: LocalCluster) -> None:
    before = cluster.voters(1)
    machine.terminate(cluster.home, cluster.machines[3])
    shutil.rmtree(cluster.home.volume("vol-3"))
    instance = cluster.start(3)
    # It serves before its place in the quorum is handed over.
    eventually(
        lambda: cluster.voters(1).get(3) not in (None, before[3]),
        60,
        "its new directory is a voter",
    )
    wait_for_all(cluster)
    after = cluster.voters(1)
    assert "joins as a new voter" in cluster.console(instance)
    assert (after[1], after[2]) == (before[1], before[2])


def test_a_new_machine_takes_over_the_volume_of_the_old_one(cluster: LocalCluster) -> None:
    before = cluster.voters(1)
    machine.terminate(cluster.home, cluster.machines[2])
    instance = cluster.start(2)
    wait_for_all(cluster)
    assert cluster.voters(1) == before
    assert "Formatting" not in cluster.console(instance)


def test_a_killed_container_is_started_again(cluster: LocalCluster) -> None:
    before = container_id(cluster, 1)
    engine = machine.container_engine(cluster.home)
    engine.run("kill", "--signal", "KILL", before)
    eventually(lambda: container_id(cluster, 1) not in ("", before), 60, "another container")
    wait_for_all(cluster)


def test_a_machine_whose_process_was_killed_has_failed_and_can_be_resumed(
    cluster: LocalCluster,
) -> None:
    before = container_id(cluster, 3)
    instance = cluster.machines[3]
    process = processes.find(cluster.home, instance)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not process.alive, 10, "the process is gone")
    assert machine.state(cluster.home, instance) == "failed"
    machine.resume(cluster.home, instance)
    eventually(lambda: container_id(cluster, 3) not in ("", before), 60, "another container")
    wait_for_all(cluster)


def container_id(cluster: LocalCluster, node_id: int) -> str:
    """The id of a node's running container; empty where none runs."""
    name = machine.container_name(cluster.home, cluster.machines[node_id])
    engine = machine.container_engine(cluster.home)
    return engine.run("ps", "--no-trunc", "--filter", f"name={name}", "--format", "{{.ID}}").strip()


def test_stopping_all_leaves_nothing_behind(tmp_path: Path) -> None:
    with local_cluster(tmp_path / "home") as cluster:
        instance = cluster.start(1)
        name = machine.container_name(cluster.home, instance)
        engine = machine.container_engine(cluster.home)
        eventually(lambda: name in engine.run("ps", "--format", "{{.Names}}"), 60, "a container")
        machine.stop_all(cluster.home, timeout=0.5)
        assert name not in engine.run("ps", "--all", "--format", "{{.Names}}")
        assert not machine.memory_directory(cluster.home, instance).exists()
        eventually(lambda: name not in command_lines(), 10, "no process is about it any more")


def command_lines() -> str:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout

"""The quick-start as a user runs it: deployed into a sandbox, used, searched, removed."""

import gzip
import re
from base64 import b64decode
from pathlib import Path

import pytest

from inkless_pulumi.provider.kafka.model import DisklessWrite
from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.home import Home
from tests.sandbox.quickstart.deployed import Deployed


def test_all_records_come_back_and_nothing_is_left_to_change(deployed: Deployed) -> None:
    assert deployed.result.nodes == 3
    assert (deployed.result.produced, deployed.result.consumed) == (1000, 1000)
    assert deployed.result.second_preview_changes == 0


def test_the_closing_line_tells_what_was_measured(deployed: Deployed) -> None:
    assert re.fullmatch(
        r"demo: image=\S+ nodes=3 produced=1000 consumed=1000 second_preview_changes=0 "
        r"diskless=(yes|no: .+) seconds=\d+",
        deployed.result.line,
    )


def test_every_node_takes_a_record_for_a_diskless_topic(deployed: Deployed) -> None:
    if deployed.result.diskless != "yes":
        pytest.skip(f"diskless topics need an Inkless image: {deployed.result.diskless}")
    with deployed.cluster() as cluster:
        assert cluster.diskless.in_use(cluster.topics.names())
        for broker in cluster.nodes.brokers():
            assert cluster.diskless.write(broker.node_id) == DisklessWrite(True)


def test_no_secret_stands_in_state_logs_output_user_data_or_processes(deployed: Deployed) -> None:
    places = {"state": deployed.state(), "printed": deployed.printed, **_files(deployed.home)}
    places |= _user_data(deployed.state()) | _processes()
    secrets = deployed.secrets()
    assert len(secrets) >= 8  # passphrase, CA, administrator, three nodes, database, user
    found = [
        (name, place)
        for name, secret in secrets.items()
        for place, text in places.items()
        if secret in text
    ]
    assert found == []


def test_the_search_for_secrets_finds_one_where_it_is_meant_to_be(deployed: Deployed) -> None:
    in_memory = "".join(
        path.read_text()
        for instance in deployed.home.instances.glob("i-*[0-9a-f]")
        if instance.is_dir()
        for path in _memory(deployed.home, instance.name).iterdir()
    )
    held = [name for name, secret in deployed.secrets().items() if secret in in_memory]
    assert len(held) == 4  # three nodes' keys and the database's password


def _memory(home: Home, instance_id: str) -> Path:
    return machine.memory_directory(home, instance_id) / "inkless" / "secrets"


def _files(home: Home) -> dict[str, str]:
    """Everything on disk, but what is meant to hold a secret: the passphrase and the tmpfs."""
    kept_out = {home.passphrase_file}
    files: dict[str, str] = {}
    for directory in (home.logs, home.instances, home.processes, home.root / "quickstart"):
        for path in directory.rglob("*"):
            if "run" in path.relative_to(home.root).parts or path in kept_out:
                continue
            if path.is_file() and path.stat().st_size < 10_000_000:
                files[str(path)] = path.read_bytes().decode("utf-8", "replace")
    files["account"] = home.account_db.read_bytes().decode("utf-8", "replace")
    return files


def _user_data(state: str) -> dict[str, str]:
    encoded = set(re.findall(r'"userDataBase64":\s*"([^"]+)"', state))
    assert len(encoded) == 3
    return {
        f"user data {number}": gzip.decompress(b64decode(text)).decode()
        for number, text in enumerate(encoded)
    }


def _processes() -> dict[str, str]:
    """Command lines and environments of all processes, those in containers among them."""
    texts: dict[str, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                texts[str(process / name)] = (process / name).read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has just ended
    return texts

"""The quick-start as a user runs it: deployed into a sandbox, used, searched, removed."""

import gzip
import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from rich.console import Console

from inkless_pulumi.sandbox import demo, lifecycle, machine, processes
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.parts.aws_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY

CHECKOUT = Path(__file__).parents[2]


class Deployed:
    """A quick-start that runs, and what was printed while it was deployed."""

    def __init__(self, home: Home, result: demo.Result, printed: str) -> None:
        self.home = home
        self.result = result
        self.printed = printed

    def state(self) -> str:
        """The stack's state file, as Pulumi wrote it."""
        files = (self.home.pulumi / ".pulumi" / "stacks").rglob("*.json")
        return "\n".join(path.read_text() for path in files)

    def secrets(self) -> dict[str, str]:
        """Every secret that the sandbox knows, cut to a piece that stands on one line."""
        client = boto3.client(
            "secretsmanager",
            endpoint_url=lifecycle.up(self.home).aws_endpoint,
            region_name="eu-central-1",
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )
        known = {"passphrase": self.home.passphrase_file.read_text().strip()}
        for page in client.get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                value = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
                known[secret["Name"]] = _telling_piece(value)
        return known


def _telling_piece(value: str) -> str:
    """The private part of a PEM, the password of a user, or the bare password."""
    if key := re.search(r"PRIVATE KEY-----\n(.+)\n(.+)\n", value):
        return key.group(2)
    if value.startswith("{"):
        return str(json.loads(value)["password"])
    return value


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    home = Home.at(tmp_path_factory.mktemp("quickstart") / "sandbox")
    console = Console(record=True, file=io.StringIO())
    try:
        result = demo.run(CHECKOUT, home, console, keep=True)
        yield Deployed(home, result, console.export_text())
    finally:
        demo.remove(home, console)
    assert not home.root.exists()
    assert not list(processes.running(home))


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

"""The files of a node and the user data that carries them."""

import base64
import gzip
import hashlib
import json
import random
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.declaration import ServiceDeclaration
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.host_files import HostFile, node_files
from inkless_pulumi.core.plan import plan_cluster
from inkless_pulumi.core.stable_gzip import compress
from inkless_pulumi.core.user_data import cloud_config, decode_user_data, encode_user_data
from tests.unit.core.declarations import delivery, facts, service, valid_services


def files(declared: ServiceDeclaration, node_id: int = 1) -> dict[str, HostFile]:
    plan = plan_cluster(declared)
    node = plan.node(node_id)
    return {file.path: file for file in node_files(plan, node, facts(plan), delivery(node))}


def environment(declared: ServiceDeclaration, node_id: int = 1) -> dict[str, str]:
    """The variables of `node.env`, as a shell would set them."""
    text = files(declared, node_id)["/etc/inkless/node.env"].content
    return dict(shlex.split(line)[0].split("=", 1) for line in text.splitlines())


def test_a_node_gets_its_files_at_their_places() -> None:
    assert {path: oct(file.mode) for path, file in files(service()).items()} == {
        "/etc/inkless/node.env": "0o644",
        "/etc/inkless/server.properties": "0o644",
        "/etc/inkless/ca.pem": "0o644",
        "/opt/inkless/bin/inkless-node": "0o755",
        "/etc/systemd/system/inkless-node.service": "0o644",
        "/etc/systemd/system/inkless-volume.service": "0o644",
    }


def test_the_node_script_is_the_one_of_the_repository() -> None:
    script = Path(__file__).parents[3] / "broker" / "node" / "inkless-node"
    assert files(service())["/opt/inkless/bin/inkless-node"].content == script.read_text()


def test_a_controller_knows_the_first_quorum() -> None:
    assert environment(service(topology="dedicated"))["INKLESS_INITIAL_CONTROLLERS"] == (
        "1@10.42.0.10:9093:dir-1,2@10.42.64.10:9093:dir-2,3@10.42.128.10:9093:dir-3"
    )


def test_a_broker_is_in_no_quorum() -> None:
    known = environment(service(topology="dedicated"), 11)
    assert known["INKLESS_INITIAL_CONTROLLERS"] == ""
    assert known["INKLESS_ROLES"] == "broker"
    assert known["INKLESS_ADDRESS"] == "10.42.0.20"


def test_the_environment_names_the_configuration_it_goes_with() -> None:
    rendered = files(service())["/etc/inkless/server.properties"].content
    digest = hashlib.sha256(rendered.encode()).hexdigest()
    assert environment(service())["INKLESS_CONFIGURATION"] == digest


def test_a_heap_is_given_only_if_declared() -> None:
    assert environment(service())["INKLESS_HEAP_MIB"] == ""
    assert environment(service(heap_mib=1024))["INKLESS_HEAP_MIB"] == "1024"


def test_a_shell_reads_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "node.env"
    file.write_text(files(service())["/etc/inkless/node.env"].content)
    script = f". {file}; echo $INKLESS_NODE_ID $INKLESS_ROLES $INKLESS_MARKER"
    shell = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    assert shell.stdout == "1 broker,controller s3://orders-bucket/inkless/.nodes/cluster/1\n"


@given(valid_services())
def test_the_only_password_in_the_files_is_a_reference(declared: ServiceDeclaration) -> None:
    reference = "${file:/run/inkless/secrets/secrets.properties:database.password}"
    for node in plan_cluster(declared).nodes[::3]:
        rendered = files(declared, node.node_id)
        assert not [file for file in rendered.values() if "PRIVATE KEY-----" in file.content]
        lines = rendered["/etc/inkless/server.properties"].content.splitlines()
        passwords = [line for line in lines if "password=" in line]
        assert len(passwords) == declared.is_diskless
        assert all(line.endswith(reference) for line in passwords)


@given(valid_services())
def test_the_user_data_of_every_node_fits_and_reads_back(declared: ServiceDeclaration) -> None:
    node = plan_cluster(declared).nodes[-1]
    text = cloud_config(files(declared, node.node_id).values())
    encoded = encode_user_data(text)
    assert decode_user_data(encoded) == text
    assert encode_user_data(text) == encoded


def test_cloud_init_is_told_the_files_and_then_the_commands() -> None:
    text = cloud_config([HostFile("/etc/x", "y\n", 0o600)])
    header, _, document = text.partition("\n")
    assert header == "#cloud-config"
    assert json.loads(document) == {
        "write_files": [
            {"path": "/etc/x", "owner": "root:root", "permissions": "0600", "content": "y\n"}
        ],
        "runcmd": [
            ["/opt/inkless/bin/inkless-node", "prepare"],
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "inkless-node.service"],
            ["systemctl", "enable", "--now", "inkless-volume.service"],
        ],
    }


def test_user_data_that_ec2_would_refuse_is_refused() -> None:
    noise = base64.b64encode(random.Random(1).randbytes(20_000)).decode()  # noqa: S311
    with pytest.raises(DeclarationError, match="more than 16384 bytes"):
        encode_user_data(noise)


@given(st.binary(max_size=3000) | st.text("abc ", max_size=3000).map(str.encode))
def test_what_is_compressed_is_ordinary_gzip(data: bytes) -> None:
    assert gzip.decompress(compress(data)) == data


@pytest.mark.parametrize(
    "data",
    [b"x" * 100_000, bytes(range(256)) * 300, b"ab" * 40_000 + b"end"],
    ids=["one byte", "all bytes", "beyond the window"],
)
def test_long_repetitions_are_compressed_and_read_back(data: bytes) -> None:
    compressed = compress(data)
    assert gzip.decompress(compressed) == data
    assert len(compressed) < len(data) // 50


def test_compressed_bytes_are_the_same_on_every_machine() -> None:
    # Bytes that were written once; another zlib or Python must write the same.
    script = "inkless_pulumi\n" * 40
    digest = hashlib.sha256(compress(script.encode())).hexdigest()
    assert digest == "ef5fd2b6e3319efdf3f9a5a884ccf91eda6b9c64df5d190abe8e372e4bee4e86"

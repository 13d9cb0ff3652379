"""User data, done as cloud-init would."""

import base64
import gzip
import json
import os
import threading
import time
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.core.host_files import HostFile
from inkless_pulumi.core.user_data import cloud_config, encode_user_data
from inkless_pulumi.sandbox.cloud_init import (
    CloudConfig,
    parse_user_data,
    run_commands,
    write_files,
)


def encoded(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def test_what_the_core_writes_is_what_a_machine_does(tmp_path: Path) -> None:
    text = cloud_config([HostFile("/opt/x", "#!/bin/sh\n", 0o755)], [("/opt/x", "go")])
    config = parse_user_data(encode_user_data(text))
    write_files(tmp_path, config)
    assert config.commands == (("/opt/x", "go"),)
    assert (tmp_path / "opt/x").read_text() == "#!/bin/sh\n"
    assert (tmp_path / "opt/x").stat().st_mode & 0o777 == 0o755


def test_a_machine_without_user_data_does_nothing() -> None:
    assert parse_user_data("") == CloudConfig((), ())


@pytest.mark.parametrize(
    ("user_data", "why"),
    [
        ("plainly not base64", "not base64 of gzip"),
        (encoded("#!/bin/sh\necho"), "does not start with #cloud-config"),
        (encoded("#cloud-config\nusers: []\n"), "not the cloud-config this sandbox reads"),
        (encoded("#cloud-config\n" + json.dumps({"users": []})), "asks for users"),
        (encoded("#cloud-config\n" + json.dumps({"write_files": [{}]})), "'path'"),
    ],
)
def test_what_is_not_understood_is_refused(user_data: str, why: str) -> None:
    with pytest.raises(SandboxError, match=why):
        parse_user_data(user_data)


def test_a_file_outside_of_the_machine_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(SandboxError, match="leaves the machine's directory"):
        write_files(root, CloudConfig((("/../x", "", 0o644),), ()))
    assert not (tmp_path / "x").exists()


def test_a_command_that_fails_does_not_keep_back_the_next(tmp_path: Path) -> None:
    said: list[str] = []
    commands = (("sh", "-c", "exit 4"), ("no-such-command",), ("touch", str(tmp_path / "done")))
    environment = {"PATH": os.environ["PATH"]}
    run_commands(tmp_path, CloudConfig((), commands), environment, threading.Event(), said.append)
    assert (tmp_path / "done").exists()
    assert said == [
        "cloud-init: sh -c 'exit 4' ended with status 4",
        "cloud-init: no-such-command cannot be run: No such file or directory",
    ]


def test_power_off_ends_a_boot_at_once(tmp_path: Path) -> None:
    power_off = threading.Event()
    threading.Timer(0.1, power_off.set).start()
    began = time.monotonic()
    commands = (("sleep", "60"), ("touch", str(tmp_path / "done")))
    environment = {"PATH": os.environ["PATH"]}
    run_commands(tmp_path, CloudConfig((), commands), environment, power_off, print)
    assert time.monotonic() - began < 10
    assert not (tmp_path / "done").exists()

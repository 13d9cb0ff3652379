"""The data volume of a node, on a real block device: a loop device stands for the EBS volume."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkless_pulumi.core.errors import ToolchainError
from inkless_pulumi.sandbox.making import find_or_install
from tests.unit.broker.rehearsal import NODE_SCRIPT, Outcome, Rehearsal

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount")


class Volume:
    """A disk of 400 MB in a machine that has it as vol-1."""

    def __init__(self, directory: Path) -> None:
        self.disk = directory / "disk"
        with self.disk.open("wb") as file:
            file.truncate(400 << 20)
        self.machine = Rehearsal(directory)
        self.mounted_at = self.machine.root / "var/lib/inkless"
        self.device = command("losetup", "--find", "--show", str(self.disk))
        by_id = self.machine.root / "dev/disk/by-id"
        by_id.mkdir(parents=True)
        (by_id / "nvme-Amazon_Elastic_Block_Store_vol1").symlink_to(self.device)

    def prepare(self) -> Outcome:
        return self.machine.run(NODE_SCRIPT, "prepare", INKLESS_SKIP="packages kernel")

    def unmount(self) -> None:
        if os.path.ismount(self.mounted_at):
            command("umount", str(self.mounted_at))

    def remove(self) -> None:
        self.unmount()
        command("losetup", "--detach", self.device)

    def become(self, mebibytes: int) -> None:
        """Be larger, as a volume in the cloud becomes it: the machine is not told."""
        os.truncate(self.disk, mebibytes << 20)
        command("losetup", "--set-capacity", self.device)


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    try:
        for program, package in (("losetup", "mount"), ("mkfs.xfs", "xfsprogs")):
            find_or_install(program, [package], "by a test", print)
        there = Volume(tmp_path)
    except ToolchainError as error:
        pytest.skip(str(error))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device is to be had here: {error.stderr}")
    yield there
    there.remove()


def test_a_blank_volume_is_formatted_and_mounted_for_kafka_s_user(volume: Volume) -> None:
    outcome = volume.prepare()
    assert outcome.status == 0, outcome.said
    assert os.path.ismount(volume.mounted_at)
    assert volume.mounted_at.stat().st_uid == 1000


def test_a_volume_with_data_is_mounted_as_it_is(volume: Volume) -> None:
    volume.prepare()
    (volume.mounted_at / "kept").write_text("records")
    volume.unmount()
    assert volume.prepare().status == 0
    assert (volume.mounted_at / "kept").read_text() == "records"


def test_preparing_twice_mounts_once(volume: Volume) -> None:
    volume.prepare()
    assert volume.prepare().status == 0
    fstab = (volume.machine.root / "etc/fstab").read_text()
    assert fstab.count(str(volume.mounted_at)) == 1


def test_a_volume_that_is_neither_blank_nor_a_file_system_is_not_touched(volume: Volume) -> None:
    content = os.urandom(1 << 20)
    with volume.disk.open("r+b") as file:
        file.write(content)
    outcome = volume.prepare()
    assert outcome.status == 1
    assert "nothing was changed on it" in outcome.said
    with volume.disk.open("rb") as file:
        assert file.read(len(content)) == content


def test_a_grown_volume_is_used_in_full(volume: Volume) -> None:
    volume.prepare()
    before = shutil.disk_usage(volume.mounted_at).total
    volume.unmount()
    volume.become(800)
    volume.prepare()
    assert shutil.disk_usage(volume.mounted_at).total > before * 3 // 2


def test_a_volume_grows_in_place_while_files_on_it_are_written(volume: Volume) -> None:
    volume.prepare()
    before = shutil.disk_usage(volume.mounted_at).total
    with (volume.mounted_at / "segment").open("w") as segment:
        segment.write("before, ")
        volume.become(800)
        outcome = volume.machine.run(NODE_SCRIPT, "grow")
        segment.write("after")
    assert outcome.status == 0, outcome.said
    assert "volume vol-1 is larger: blocks changed from" in outcome.said
    assert shutil.disk_usage(volume.mounted_at).total > before * 3 // 2
    assert (volume.mounted_at / "segment").read_text() == "before, after"

    again = volume.machine.run(NODE_SCRIPT, "grow")
    assert (again.status, again.said) == (0, ""), "what is full stays as it is"


def test_there_is_nothing_to_grow_before_the_volume_is_mounted(volume: Volume) -> None:
    outcome = volume.machine.run(NODE_SCRIPT, "grow")
    assert (outcome.status, outcome.said) == (0, "")

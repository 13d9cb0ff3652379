"""The account's API and its image registry."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inkless_pulumi.core.errors import SandboxError
from inkless_pulumi.sandbox import processes
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.parts import aws_server, registry

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home.at(tmp_path_factory.mktemp("sandbox"))
    yield home
    processes.stop_all(home)
    assert list(processes.running(home)) == []


@pytest.fixture(scope="module")
def aws_port(home: Home) -> int:
    port = processes.free_port(aws_server.ADDRESS)
    aws_server.ensure(home, port, REGION, ACCOUNT)
    return port


@pytest.fixture(scope="module")
def registry_port(home: Home) -> int:
    port = processes.free_port(registry.ADDRESS)
    registry.ensure(home, port, lambda _: None)
    return port


def client(port: int, service: str) -> Any:
    return aws_server.client(f"http://127.0.0.1:{port}", service, REGION)


def call(
    port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    with httpx.Client(trust_env=False) as http:
        answer = http.request(method, f"http://127.0.0.1:{port}{path}", headers=headers)
    return answer.status_code, answer.text


def kill(home: Home, name: str) -> None:
    part = processes.find(home, name)
    assert part is not None
    os.kill(part.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while part.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not part.alive


def test_the_account_is_the_one_that_arns_name(aws_port: int) -> None:
    assert client(aws_port, "sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_secret_keeps_its_value(aws_port: int) -> None:
    api = client(aws_port, "secretsmanager")
    arn = api.create_secret(Name="kept")["ARN"]
    api.put_secret_value(SecretId=arn, SecretString="value")
    assert api.get_secret_value(SecretId="kept")["SecretString"] == "value"


def test_the_clouds_own_image_parameters_are_published(aws_port: int) -> None:
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    value = client(aws_port, "ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert value.startswith("ami-")


def test_a_registry_login_is_given_out(aws_port: int) -> None:
    (given,) = client(aws_port, "ecr").get_authorization_token()["authorizationData"]
    assert given["authorizationToken"]


def test_instance_metadata_need_a_token(aws_port: int) -> None:
    path = "/latest/meta-data/placement/region"
    assert call(aws_port, path)[0] == 401
    assert call(aws_port, path, headers={"X-aws-ec2-metadata-token": "guessed"})[0] == 401
    assert call(aws_port, "/latest/api/token")[0] == 405
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    status, token = call(aws_port, "/latest/api/token", "PUT", ttl)
    assert status == 200
    given = {"X-aws-ec2-metadata-token": token}
    assert call(aws_port, path, headers=given) == (200, REGION)
    role = call(aws_port, "/latest/meta-data/iam/security-credentials/", headers=given)[1]
    credentials = call(
        aws_port, f"/latest/meta-data/iam/security-credentials/{role}", headers=given
    )[1]
    assert json.loads(credentials)["Code"] == "Success"
    assert call(aws_port, "/latest/meta-data/no-such-thing", headers=given)[0] == 404


def test_the_sdk_takes_its_credentials_from_the_instances_role(
    aws_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{aws_port}")
    credentials = boto3.Session().get_credentials()
    assert credentials is not None
    assert credentials.method == "iam-role"
    assert credentials.access_key == aws_server.ACCESS_KEY_ID


def test_a_bucket_called_latest_is_a_bucket(aws_port: int) -> None:
    api = client(aws_port, "s3")
    api.create_bucket(Bucket="latest", CreateBucketConfiguration={"LocationConstraint": REGION})
    api.put_object(Bucket="latest", Key="object", Body=b"content")
    assert api.get_object(Bucket="latest", Key="object")["Body"].read() == b"content"


def test_only_loopback_answers(aws_port: int, registry_port: int) -> None:
    listening = processes.listening_addresses()
    assert "127.0.0.1" in listening
    assert all(address.startswith("127.") for address in _addresses_of(aws_port, registry_port))


def _addresses_of(*ports: int) -> list[str]:
    found = []
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            address, port = line.split()[1].split(":")
            if line.split()[3] == "0A" and int(port, 16) in ports:
                found.append(".".join(str(byte) for byte in bytes.fromhex(address)[::-1]))
    return found


def test_a_running_server_is_taken_over(home: Home, aws_port: int) -> None:
    before = processes.find(home, aws_server.NAME)
    aws_server.ensure(home, aws_port, REGION, ACCOUNT)
    assert processes.find(home, aws_server.NAME) == before


def test_a_killed_server_comes_back_with_all_that_it_was_told(home: Home, aws_port: int) -> None:
    secrets, ssm, s3 = (client(aws_port, name) for name in ("secretsmanager", "ssm", "s3"))
    arn = secrets.create_secret(Name="told", SecretString="first")["ARN"]
    version = secrets.put_secret_value(SecretId=arn, SecretString="second")["VersionId"]
    gone = secrets.create_secret(Name="gone")["ARN"]
    secrets.delete_secret(SecretId=gone, ForceDeleteWithoutRecovery=True)
    ssm.put_parameter(Name="/told", Value="1", Type="String")
    s3.create_bucket(Bucket="told-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    content = bytes(range(256)) * 1000
    s3.put_object(Bucket="told-bucket", Key="a/b c", Body=content)

    kill(home, aws_server.NAME)
    aws_server.ensure(home, aws_port, REGION, ACCOUNT)

    told = secrets.get_secret_value(SecretId=arn)
    assert (told["SecretString"], told["VersionId"]) == ("second", version)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId=gone)
    assert ssm.get_parameter(Name="/told")["Parameter"]["Value"] == "1"
    assert s3.get_object(Bucket="told-bucket", Key="a/b c")["Body"].read() == content
    again = secrets.create_secret(Name="gone")["ARN"]
    assert again not in (gone, arn), "what is made anew is another one"


def test_a_port_of_another_program_is_told(home: Home, registry_port: int) -> None:
    other = Home.at(home.root / "other")
    with pytest.raises(SandboxError, match=f"needs port {registry_port} .* in use"):
        aws_server.ensure(other, registry_port, REGION, ACCOUNT)


def push_image(port: int, repository: str) -> None:
    content = b"{}"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    kind = "application/vnd.oci.image.manifest.v1+json"
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": digest,
        "size": len(content),
    }
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": described, "layers": []}
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, trust_env=False) as http:
        upload = http.post(f"/v2/{repository}/blobs/uploads/").headers["Location"]
        binary = {"Content-Type": "application/octet-stream"}
        pushed = http.put(f"{upload}&digest={digest}", content=content, headers=binary)
        pushed.raise_for_status()
        typed = {"Content-Type": kind}
        pushed = http.put(
            f"/v2/{repository}/manifests/one", content=json.dumps(manifest), headers=typed
        )
        pushed.raise_for_status()


def test_images_outlive_the_registrys_process(home: Home, registry_port: int) -> None:
    push_image(registry_port, "kept/image")
    kill(home, registry.NAME)
    registry.ensure(home, registry_port, lambda _: None)
    assert registry.images(home, "kept/image") == 1
    assert json.loads(call(registry_port, "/v2/kept/image/tags/list")[1])["tags"] == ["one"]


def test_a_removed_repository_has_no_images(home: Home, registry_port: int) -> None:
    push_image(registry_port, "gone/image")
    assert registry.images(home, "gone/image") == 1
    registry.remove_repository(home, "gone/image")
    assert registry.images(home, "gone/image") == 0
    assert call(registry_port, "/v2/gone/image/tags/list")[0] == 404


def test_the_end_of_a_machines_log_is_read_as_from_cloudwatch(home: Home, aws_port: int) -> None:
    group = home.log_group("kafka-logs")
    group.mkdir(parents=True)
    (group / "node-1").write_text("".join(f"line {number}\n" for number in range(20)))
    logs = client(aws_port, "logs")
    answer = logs.get_log_events(logGroupName="kafka-logs", logStreamName="node-1", limit=2)
    assert [event["message"] for event in answer["events"]] == ["line 18", "line 19"]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName="kafka-logs", logStreamName="node-9")
    logs.close()

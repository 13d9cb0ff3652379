"""The node script, with stand-ins for the AWS CLI and the container engine."""

import os
from pathlib import Path

import pytest

from tests.unit.broker.rehearsal import CERTIFICATE, NODE_SCRIPT, Rehearsal

PASSWORD = "Zm9yVGVzdHNPbmx5"

AWS = f"""
case "$*" in
  *'--secret-id node-1 '*) cat <<'END'
{CERTIFICATE}END
    ;;
  *'--secret-id database '*) echo {PASSWORD} ;;
  *get-login-password*) echo a-login ;;
  *head-object*) [ -z "$MARKED" ] || exit 0
    echo 'An error occurred (404) when calling the HeadObject operation: Not Found' >&2
    exit 254 ;;
esac
"""

# Formatting succeeds as in the container; nothing else has an effect.
ENGINE = """
case "$1" in
  image) [ -n "$HAS_IMAGE" ] ;;
  container) exit 1 ;;
  login) cat >/dev/null ;;
  run) case "$*" in *' format') mkdir -p "$INKLESS_ROOT/var/lib/inkless/data"
         : >"$INKLESS_ROOT/var/lib/inkless/data/meta.properties" ;; esac ;;
esac
"""


@pytest.fixture
def node(tmp_path: Path) -> Rehearsal:
    rehearsal = Rehearsal(tmp_path)
    rehearsal.command("aws", AWS)
    rehearsal.command("docker", ENGINE)
    volume = tmp_path / "volume"
    volume.mkdir()
    devices = rehearsal.root / "dev/disk/by-id"
    devices.mkdir(parents=True)
    (devices / "nvme-Amazon_Elastic_Block_Store_vol1").symlink_to(volume)
    return rehearsal


@pytest.fixture
def prepared(node: Rehearsal) -> Rehearsal:
    assert node.run(NODE_SCRIPT, "prepare", INKLESS_SKIP="packages kernel").status == 0
    assert node.run(NODE_SCRIPT, "secrets").status == 0
    node.calls_file.unlink()
    return node


def calls(node: Rehearsal, start: str) -> list[str]:
    return [call for call in node.calls if call.startswith(start)]


def test_secrets_are_written_for_kafka_s_user_alone(node: Rehearsal) -> None:
    assert node.run(NODE_SCRIPT, "secrets").status == 0
    directory = node.root / "run/inkless/secrets"
    assert directory.stat().st_mode & 0o777 == 0o700
    contents = {file.name: file.read_text() for file in directory.iterdir()}
    assert contents == {
        "node.pem": CERTIFICATE,
        "secrets.properties": f"database.password={PASSWORD}\n",
    }
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}
    assert {file.stat().st_uid for file in directory.iterdir()} == {os.getuid() or 1000}


def test_no_secret_is_printed_or_put_on_a_command_line(node: Rehearsal) -> None:
    outcome = node.run(NODE_SCRIPT, "secrets")
    assert PASSWORD not in outcome.said + "".join(node.calls)


def test_a_secret_that_is_not_there_yet_is_asked_for_again(node: Rehearsal) -> None:
    refuses_once = f'[ -e "{node.root}/asked" ] || {{ : >"{node.root}/asked"; exit 254; }}'
    node.command("aws", refuses_once + AWS)
    node.command("sleep")
    assert node.run(NODE_SCRIPT, "secrets").status == 0
    assert len(calls(node, "aws secretsmanager")) == 3


def test_a_classic_node_has_no_database_password(node: Rehearsal) -> None:
    node.node_environment["INKLESS_DATABASE_SECRET"] = ""
    assert node.run(NODE_SCRIPT, "secrets").status == 0
    assert not (node.root / "run/inkless/secrets/secrets.properties").exists()


def test_a_new_node_is_formatted_marked_and_started_in_this_order(prepared: Rehearsal) -> None:
    assert prepared.run(NODE_SCRIPT, "run").status == 0
    steps = [
        "aws s3api head-object",
        "docker run --env INKLESS_FORMATTED_BEFORE=no",
        "aws s3api put-object",
        "docker run --",
    ]
    found = [call for call in prepared.calls if call.startswith(("aws s3api", "docker run"))]
    assert len(found) == len(steps)
    assert all(call.startswith(step) for call, step in zip(found, steps, strict=True))
    assert "--bucket bucket --key inkless/.nodes/c/1" in found[0]
    assert found[1].endswith(" registry.test/inkless@sha256:0 format")
    assert found[3].endswith(" registry.test/inkless@sha256:0 run")


def test_a_marked_node_with_a_blank_volume_is_told_so(prepared: Rehearsal) -> None:
    prepared.run(NODE_SCRIPT, "run", MARKED="yes")
    assert "INKLESS_FORMATTED_BEFORE=yes" in calls(prepared, "docker run")[0]


def test_it_never_guesses_whether_a_marker_exists(prepared: Rehearsal) -> None:
    """Access denied is not absence: a node that forgot its votes would take its old place."""
    prepared.command("aws", "echo 'An error occurred (403): Forbidden' >&2; exit 254")
    prepared.command("sleep")
    # A clock that runs past every deadline after a few looks at it.
    prepared.command(
        "date", f'echo x >>"{prepared.root}/t"; wc -l <"{prepared.root}/t" | xargs -I% echo %00'
    )
    outcome = prepared.run(NODE_SCRIPT, "run", HAS_IMAGE="yes")
    assert outcome.status != 0
    assert "could not find out whether s3://bucket/inkless/.nodes/c/1 exists" in outcome.said
    assert calls(prepared, "docker run") == []


def test_a_node_that_was_started_before_asks_the_bucket_nothing(prepared: Rehearsal) -> None:
    prepared.run(NODE_SCRIPT, "run")
    prepared.calls_file.unlink()
    prepared.run(NODE_SCRIPT, "run")
    assert calls(prepared, "aws s3api") == []


def test_an_image_that_is_there_needs_no_registry(prepared: Rehearsal) -> None:
    assert prepared.run(NODE_SCRIPT, "run", HAS_IMAGE="yes").status == 0
    assert calls(prepared, "docker pull") + calls(prepared, "docker login") == []


def test_the_login_is_gone_after_the_pull(prepared: Rehearsal) -> None:
    prepared.run(NODE_SCRIPT, "run")
    assert calls(prepared, "docker login --username AWS --password-stdin registry.test")
    assert calls(prepared, "docker pull")
    assert not (prepared.root / "run/inkless/login").exists()
    assert "a-login" not in "".join(prepared.calls)


def test_the_container_can_change_nothing_but_its_storage(prepared: Rehearsal) -> None:
    prepared.run(NODE_SCRIPT, "run")
    command = calls(prepared, "docker run")[-1]
    for option in ("--read-only", "--cap-drop ALL", "no-new-privileges", "--network host"):
        assert option in command
    assert "/etc/inkless:/etc/inkless:ro" in command
    assert ":/run/inkless/secrets:ro" in command
    assert "--pull never" in command


def test_logs_go_to_the_node_s_stream_without_holding_kafka_back(prepared: Rehearsal) -> None:
    prepared.run(NODE_SCRIPT, "run")
    command = calls(prepared, "docker run")[-1]
    assert "--log-driver awslogs" in command
    assert "awslogs-group=logs" in command
    assert "awslogs-stream=node-1" in command
    assert "mode=non-blocking" in command


def test_another_cloud_is_refused(node: Rehearsal) -> None:
    node.node_environment["INKLESS_CLOUD"] = "gcp"
    outcome = node.run(NODE_SCRIPT, "prepare")
    assert outcome.status == 1
    assert "INKLESS_CLOUD='gcp'" in outcome.said


STOPPING = """
case "$1" in
  exec) echo "$HEALTH" ;;
  wait) for _ in $(seq 600); do
      [ "$(grep -c "^$STOPS_AT" "$CALLS")" -lt "$TIMES" ] || exit 0
      /bin/sleep 0.05
    done ;;
esac
"""


def stopped(node: Rehearsal, health: str, stops_at: str, times: int = 1) -> list[str]:
    """What is called while a node stops, whose Kafka has ended when something was called so often.

    No time passes: `sleep` returns at once.
    """
    node.command("docker", STOPPING)
    node.command("sleep")
    outcome = node.run(
        NODE_SCRIPT,
        "stop",
        HEALTH=health,
        STOPS_AT=stops_at,
        TIMES=str(times),
        CALLS=str(node.calls_file),
    )
    assert outcome.status == 0
    return [call for call in calls(node, "docker kill") if "TERM" not in call]


def test_a_node_that_stops_is_waited_for_while_the_quorum_has_a_leader(node: Rehearsal) -> None:
    assert stopped(node, "broker state 6, not 3 (RUNNING)", "docker exec", times=20) == []


def test_a_node_whose_quorum_is_gone_is_not_waited_for(node: Rehearsal) -> None:
    assert stopped(node, "no leader of the controller quorum is known", "docker kill inkless") != []
    assert calls(node, "sleep 3") == ["sleep 3"] * 5


def test_a_node_that_never_stops_is_killed_when_its_time_is_up(node: Rehearsal) -> None:
    assert stopped(node, "broker state 6, not 3 (RUNNING)", "docker kill inkless") != []
    assert len(calls(node, "sleep 3")) == 104  # 310 seconds

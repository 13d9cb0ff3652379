"""Topics and access rules at scale, on one broker, each beside its floor.

A floor is a bare kafka-python program that makes the same requests, plus the engine with one
resource that does nothing; for single resources, the engine with as many that do nothing.
`make bench-topics` runs it. The topics are classic, for no stand-in has diskless ones; what an
operation costs outside of the broker is the same. A part that fails is told, and the others are
measured all the same.
"""

import json
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer
from rich.console import Console
from rich.table import Table

from benchmarks.measure import resident_mib, wall_seconds
from benchmarks.stacks import engine_environment, make_project, nothing_project, pulumi
from tests.sandbox.local_kafka import LocalKafka, local_kafka

REGION = "eu-central-1"
TOPICS, MANY, SINGLE, RULES = 1_000, 10_000, 200, 1_000
_NAMED = ("create", "preview", "change", "add", "delete", "rules")
"""What the last line tells."""
_TURNS = 5
"""Of the single topics: what is compared takes turns, and the medians are told."""
_UP = ["up", "--yes", "--skip-preview"]
_DESTROY = ["destroy", "--yes", "--skip-preview"]
_REFRESHED = ["preview", "--refresh"]

_PROGRAM = """\
import json
import logging
import os

import inkless_pulumi

connection = json.loads(os.environ["BENCHMARK_CONNECTION"])
"""
_SET = """
inkless_pulumi.TopicSet(
    "topics",
    {
        "file": "topics.json",
        "deletion_protection": os.environ.get("BENCHMARK_PROTECTION") != "off",
        "connection": connection,
    },
)
"""
_SINGLE = """
for number in range({count}):
    name = f"single.{{number}}"
    inkless_pulumi.ClassicTopic(
        name,
        {{"name": name, "partitions": 1, "deletion_protection": False, "connection": connection}},
    )
"""
_IDLE = """
import pulumi


class Nothing(pulumi.CustomResource):
    def __init__(self, name):
        properties = {{"name": name, "partitions": 1, "connection": connection}}
        super().__init__("nothing:index:Nothing", name, properties)


for number in range({count}):
    Nothing(f"idle.{{number}}")
"""
_RULES = """
for number in range({count}):
    inkless_pulumi.AccessRule(
        f"rule-{{number}}",
        {{
            "principal": f"User:app-{{number}}",
            "intent": "produce",
            "topic": f"topic.{{number}}",
            "connection": connection,
        }},
    )
"""


@dataclass
class Bench:
    """A broker, an account with the administrator's key, and an engine."""

    root: Path
    kafka: LocalKafka
    environment: dict[str, str]
    console: Console
    began: float = field(default_factory=time.monotonic)
    ratios: dict[str, float] = field(default_factory=dict)
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def timed(self, arguments: list[str], project: Path, **variables: str) -> float:
        """Seconds that a command of the engine takes."""
        self.tell(f"pulumi {arguments[0]} of {project.name} …")
        command = ["pulumi", *arguments, "--non-interactive", "--stack", "benchmark"]
        return wall_seconds(command, project, {**self.environment, **variables})

    def kafka_python(self, operation: str, count: int) -> float:
        """Seconds that the bare program takes."""
        self.tell(f"kafka-python: {operation} {count} …")
        given = [self.kafka.mtls, str(self.root / "ca.pem"), str(self.root / "admin.pem")]
        command = [sys.executable, "-m", "benchmarks.topics_floor", *given, operation, str(count)]
        return wall_seconds(command, self.root, self.environment)

    def compare(self, name: str, what: str, ours: float, floor: float, aim: float) -> None:
        """Note a measurement beside its floor."""
        self.ratios[name] = ours / floor
        self.note(what, f"{ours:.1f} s ({ours / floor:.1f}x)", f"{floor:.1f} s", f"{aim:g}x")

    def note(self, what: str, measured: str, floor: str, aim: str) -> None:
        """Note a measurement, and tell it at once."""
        self.rows.append((what, measured, floor, aim))
        beside = f", floor {floor}" if floor else ""
        self.tell(f"{what}: {measured}{beside}")

    def tell(self, line: str) -> None:
        """Show how far it is."""
        seconds = int(time.monotonic() - self.began)
        self.console.print(f"{seconds // 60:3}:{seconds % 60:02} {line}", highlight=False)


def main() -> int:
    """Measure all parts, or those named on the command line."""
    parts: dict[str, Callable[[Bench], None]] = {
        "set": _topic_set,
        "single": _single_topics,
        "rules": _access_rules,
        "many": _many_topics,
    }
    wanted = sys.argv[1:] or list(parts)
    console = Console(width=120)
    failed = []
    with _bench(console) as bench:
        for name in wanted:
            try:
                parts[name](bench)
            except RuntimeError as error:
                failed.append(name)
                bench.tell(f"{name}: failed. {error}")
    _conclude(bench, failed)
    return 1 if failed else 0


def _conclude(bench: Bench, failed: list[str]) -> None:
    table = Table("what", "measured", "floor", "aim")
    for row in bench.rows:
        table.add_row(*row)
    bench.console.print(table)
    if failed:
        bench.console.print(f"not measured to the end: {', '.join(failed)}")
    measured = [name for name in _NAMED if name in bench.ratios]
    figures = [f"{name}={bench.ratios[name]:.1f}x" for name in measured]
    worst = max((bench.ratios[name] for name in measured), default=0.0)
    print(f"bench-topics: {' '.join(figures)} worst={worst:.1f}x", flush=True)  # noqa: T201


def _topic_set(bench: Bench) -> None:
    project = make_project(bench.root / "topics", _PROGRAM + _SET, bench.environment)
    nothing = nothing_project(bench.root / "one", 1, bench.environment)
    _write(project, TOPICS, "7d")
    engine = bench.timed(_UP, nothing)
    ours = bench.timed(_UP, project)
    floor = engine + bench.kafka_python("create", TOPICS)
    bench.compare("create", f"create {TOPICS} topics", ours, floor, 2)

    engine = bench.timed(_REFRESHED, nothing)
    ours = bench.timed(_REFRESHED, project)
    floor = engine + bench.kafka_python("look", TOPICS)
    bench.compare("preview", f"unchanged preview of {TOPICS}, refreshed", ours, floor, 2)

    _write(project, TOPICS, "1d")
    engine = bench.timed(_UP, nothing)
    ours = bench.timed(_UP, project)
    floor = engine + bench.kafka_python("change", TOPICS)
    bench.compare("change", f"one setting of {TOPICS}", ours, floor, 2)

    _write(project, TOPICS + 1, "1d")
    engine = bench.timed(_UP, nothing)
    ours = bench.timed(_UP, project)
    floor = engine + bench.kafka_python("add", TOPICS)
    bench.compare("add", f"one more topic than {TOPICS}", ours, floor, 2)

    pulumi([*_UP, "--stack", "benchmark"], project, {**bench.environment, **_OFF})
    engine = bench.timed(_DESTROY, nothing)
    ours = bench.timed(_DESTROY, project, **_OFF)
    floor = engine + bench.kafka_python("delete all", TOPICS)
    bench.compare("delete", f"delete {TOPICS + 1} topics", ours, floor, 2)


_OFF = {"BENCHMARK_PROTECTION": "off"}


def _single_topics(bench: Bench) -> None:
    """Resources by themselves: topics, ones that do nothing, and what lies between the two."""
    program = _PROGRAM + _SINGLE.format(count=SINGLE)
    topics = make_project(bench.root / "single", program, bench.environment)
    nothing = nothing_project(bench.root / "as-many", SINGLE, bench.environment)
    idle = make_project(
        bench.root / "idle", _PROGRAM + _IDLE.format(count=SINGLE), bench.environment
    )
    parts: dict[str, Callable[[], float]] = {
        "nothing": lambda: _made_and_destroyed(bench, nothing),
        "topics": lambda: _made_and_destroyed(bench, topics),
        "idle": lambda: _made_and_destroyed(bench, idle),
        "beside": lambda: _with_requests_beside(bench, idle),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(_TURNS):
        for name, measure in parts.items():
            taken[name].append(measure())
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    floor = medians["nothing"]
    bench.compare("single", f"create {SINGLE} single topics", medians["topics"], floor, 1.2)
    # What of it no plugin could help: each resource has its connection, and Kafka makes the topics.
    for name, what in (
        ("idle", f"{SINGLE} resources that do nothing, each with a connection"),
        ("beside", f"the same, while kafka-python creates {SINGLE} topics beside"),
    ):
        bench.note(what, f"{medians[name]:.1f} s ({medians[name] / floor:.1f}x)", "", "")


def _made_and_destroyed(bench: Bench, project: Path) -> float:
    seconds = bench.timed(_UP, project)
    bench.timed(_DESTROY, project)
    return seconds


def _with_requests_beside(bench: Bench, project: Path) -> float:
    """As a plugin would take that costs nothing itself."""
    with ThreadPoolExecutor(1) as thread:
        requests = thread.submit(bench.kafka_python, "create few at a time", SINGLE)
        seconds = bench.timed(_UP, project)
        requests.result()
    bench.timed(_DESTROY, project)
    bench.kafka_python("delete", SINGLE)
    return seconds


def _access_rules(bench: Bench) -> None:
    program = _PROGRAM + _RULES.format(count=RULES)
    project = make_project(bench.root / "rules", program, bench.environment)
    nothing = nothing_project(bench.root / "a-thousand", RULES, bench.environment)
    ours = bench.timed(_UP, project)
    floor = bench.timed(_UP, nothing) + bench.kafka_python("rules", RULES)
    bench.compare("rules", f"create {RULES} access rules", ours, floor, 2)


def _many_topics(bench: Bench) -> None:
    project = make_project(bench.root / "many", _PROGRAM + _SET, bench.environment)
    _write(project, MANY, "7d", prefix="many")
    with _plugin_memory(bench) as memory:
        seconds = bench.timed(_UP, project)
    bench.note(f"create {MANY} topics", f"{seconds:.1f} s", "", "")
    bench.note("memory of the plugin meanwhile", f"{memory[0]:.0f} MiB", "", "")
    with _plugin_memory(bench) as memory:
        seconds = bench.timed(_REFRESHED, project)
    what = f"unchanged preview of {MANY} topics, refreshed"
    bench.note(what, f"{seconds:.1f} s", "", "60 s")
    bench.note("memory of the plugin meanwhile", f"{memory[0]:.0f} MiB", "", "500 MB")


def _write(project: Path, count: int, retention: str, prefix: str = "topic") -> None:
    content = {
        "defaults": {"kind": "classic", "partitions": 1, "settings": {"retention.ms": retention}},
        "topics": {f"{prefix}.{number}": {} for number in range(count)},
    }
    (project / "topics.json").write_text(json.dumps(content))


@contextmanager
def _bench(console: Console) -> Iterator[Bench]:
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (root / "kafka").mkdir()
        kafka = local_kafka(root / "kafka", "127.77.0.9", heap="1g")
        kafka.start()
        stack.callback(kafka.stop)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells of each request
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        stack.callback(server.stop)
        kafka.await_listener()
        yield Bench(root, kafka, _environment(root, kafka, server), console)


def _environment(root: Path, kafka: LocalKafka, server: ThreadedMotoServer) -> dict[str, str]:
    host, port = server.get_host_and_port()
    account = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    identity = kafka.authority.issue("inkless-admin", "admins")
    (root / "ca.pem").write_text(kafka.authority.certificate)
    (root / "admin.pem").write_text(identity)
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("secretsmanager", endpoint_url=account["AWS_ENDPOINT_URL"])
    secret = client.create_secret(Name="admin", SecretString=kafka.authority.certificate + identity)
    connection = {
        "bootstrap_servers": kafka.mtls,
        "identity_secret_id": secret["ARN"],
        "secret_store": {"region": REGION},
    }
    client.close()
    return {
        **engine_environment(root),
        **account,
        "BENCHMARK_CONNECTION": json.dumps(connection),
    }


@contextmanager
def _plugin_memory(bench: Bench) -> Iterator[list[float]]:
    """The peak memory in MiB of the plugins that run meanwhile under the bench's engine."""
    marker = f"PULUMI_BACKEND_URL={bench.environment['PULUMI_BACKEND_URL']}".encode()
    peak, ended = [0.0], threading.Event()

    def sample() -> None:
        while not ended.wait(0.2):
            for process in Path("/proc").glob("[0-9]*"):
                peak[0] = max(peak[0], _memory_of_plugin(process, marker))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _memory_of_plugin(process: Path, marker: bytes) -> float:
    try:
        if b"pulumi-resource-inkless" not in (process / "cmdline").read_bytes():
            return 0.0
        if marker not in (process / "environ").read_bytes().split(b"\0"):
            return 0.0
        return resident_mib(int(process.name))
    except (OSError, RuntimeError):
        return 0.0  # it has just ended


if __name__ == "__main__":
    sys.exit(main())

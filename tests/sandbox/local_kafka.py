"""One secured Kafka node on a loopback address, for tests that need a real broker.

It has what a node of the service has: mutual TLS for administrators, SCRAM over TLS for clients,
an authorizer that allows nothing by default. Apache Kafka's own jars stand in for Inkless, so that
diskless topics are refused as by any broker that does not know them.
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.sandbox.certificates import Authority

KAFKA_VERSION = "4.2.1"
JARS = Path(__file__).parents[2] / ".cache" / "kafka-jars"
START_DEADLINE = 120.0

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>kafka</artifactId>
<version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{version}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>{version}</version></dependency>
</dependencies></project>"""

_LOGGING = """rootLogger.level = WARN
rootLogger.appenderRefs = out
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c: %m%n
"""


class Unavailable(Exception):
    """What a local broker needs is missing on this machine."""


def kafka_jars() -> Path:
    """The directory of Kafka's jars, fetched once.

    Raises:
        Unavailable: Java or Maven is missing, or the jars can't be fetched.
    """
    if shutil.which("java") is None:
        raise Unavailable("no java on PATH")
    if (JARS / f"kafka_2.13-{KAFKA_VERSION}.jar").exists():
        return JARS
    if shutil.which("mvn") is None:
        raise Unavailable(f"no Kafka jars in {JARS}, and no mvn on PATH to fetch them")
    JARS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=JARS.parent) as scratch:
        pom = Path(scratch) / "pom.xml"
        pom.write_text(_POM.format(version=KAFKA_VERSION))
        fetched = Path(scratch) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode != 0:
            raise Unavailable(f"mvn could not fetch Kafka's jars: {outcome.stdout[-500:]}")
        JARS.mkdir(exist_ok=True)
        for jar in sorted(fetched.iterdir(), key=lambda jar: jar.name.startswith("kafka_")):
            jar.replace(JARS / jar.name)
    return JARS


@dataclass
class LocalKafka:
    """A node that is formatted and can be started, stopped and killed."""

    root: Path
    jars: Path
    authority: Authority
    address: str
    client_port: int
    mtls_port: int
    heap: str = "256m"
    release: str = KAFKA_VERSION[:3]
    """Whose feature level it is formatted with."""
    node_id: int = 1
    controller: str = ""
    """Where the controller listens; this node is one itself, or a broker of another's."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_controller(self) -> bool:
        return self.controller.rpartition(":")[0] == self.address

    @property
    def mtls(self) -> str:
        return f"{self.address}:{self.mtls_port}"

    @property
    def client(self) -> str:
        return f"{self.address}:{self.client_port}"

    @property
    def log(self) -> str:
        return (self.root / "kafka.log").read_text(errors="replace")

    def start(self) -> None:
        """Start the JVM; returns at once."""
        with (self.root / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.java(), "kafka.Kafka", str(self.root / "server.properties")],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.root,
            )

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop the JVM and wait until it has gone; SIGKILL is a crash."""
        if self.process is None:
            return
        self.process.send_signal(signal_number)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def await_listener(self) -> None:
        """Wait until the administrators' listener accepts connections."""

        def listens() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError(f"Kafka ended with {self.process.returncode}:\n{self.log}")
            with socket.socket() as probe:
                return probe.connect_ex((self.address, self.mtls_port)) == 0

        wait_until(listens, START_DEADLINE, "the broker listens")

    def format(self) -> None:
        """Write the configuration and format the storage."""
        self._write_files()
        command = ["kafka.tools.StorageTool", "format"]
        command += ["--standalone"] if self.is_controller else ["--no-initial-controllers"]
        command += ["--release-version", self.release]
        command += ["-t", "5fJtkN7CQu6mE6cVp2Vn0A", "-c", str(self.root / "server.properties")]
        subprocess.run([*self.java(), *command], check=True, capture_output=True, cwd=self.root)

    def java(self) -> list[str]:
        """The beginning of a command that runs a class of Kafka's."""
        return [
            "java",
            f"-Xmx{self.heap}",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={self.root / 'log4j2.properties'}",
            "-cp",
            f"{self.jars}/*",
        ]

    def _write_files(self) -> None:
        node = self.authority.issue(f"node-{self.node_id}", "nodes", [self.address])
        (self.root / "node.pem").write_text(node)
        (self.root / "node.pem").chmod(0o600)
        (self.root / "ca.pem").write_text(self.authority.certificate)
        (self.root / "log4j2.properties").write_text(_LOGGING)
        lines = [f"{key}={value}" for key, value in self._properties().items()]
        (self.root / "server.properties").write_text("\n".join(lines))

    def _properties(self) -> dict[str, object]:
        [broker_port] = free_ports(self.address, 1)
        name, org = r"$1", "O=inkless"
        listeners = (
            f"CLIENT://{self.client},MTLS://{self.mtls},BROKER://{self.address}:{broker_port}"
        )
        controls = f",CONTROLLER://{self.controller}" if self.is_controller else ""
        return {
            "process.roles": "broker,controller" if self.is_controller else "broker",
            "node.id": self.node_id,
            "broker.rack": f"az{self.node_id}",
            "controller.quorum.bootstrap.servers": self.controller,
            "listeners": f"{listeners}{controls}",
            "advertised.listeners": listeners,
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CLIENT:SASL_SSL,MTLS:SSL,BROKER:SSL,CONTROLLER:SSL",
            "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256",
            **{
                f"listener.name.client.{mechanism}.sasl.jaas.config": (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                )
                for mechanism in ("scram-sha-512", "scram-sha-256")
            },
            "listener.name.client.ssl.client.auth": "none",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.root / "node.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.root / "ca.pem",
            "ssl.client.auth": "required",
            "ssl.principal.mapping.rules": (
                f"RULE:^CN=node-[0-9]+,OU=nodes,{org}$/inkless-node/,"
                f"RULE:^CN=(inkless-admin),OU=admins,{org}$/{name}/,"
                f"RULE:^CN=(stranger),OU=admins,{org}$/{name}/"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:inkless-node;User:inkless-admin",
            "log.dirs": self.root / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
        }


def local_kafka(
    root: Path,
    address: str = "127.77.0.1",
    heap: str = "256m",
    release: str = KAFKA_VERSION[:3],
    authority: Authority | None = None,
) -> LocalKafka:
    """A formatted node that has not been started.

    Raises:
        Unavailable: this machine lacks what it needs.
    """
    client_port, mtls_port, controller_port = free_ports(address, 3)
    node = LocalKafka(
        root,
        kafka_jars(),
        authority or Authority(),
        address,
        client_port,
        mtls_port,
        heap,
        release,
        controller=f"{address}:{controller_port}",
    )
    node.format()
    return node


def another_broker(first: LocalKafka, root: Path, node_id: int, address: str) -> LocalKafka:
    """A formatted broker of the cluster that a node controls."""
    client_port, mtls_port = free_ports(address, 2)
    node = replace(
        first,
        root=root,
        address=address,
        client_port=client_port,
        mtls_port=mtls_port,
        node_id=node_id,
        process=None,
    )
    node.format()
    return node


def free_ports(address: str, count: int) -> list[int]:
    """Ports that nothing listens on at an address."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((address, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll a condition until it holds.

    Raises:
        TimeoutError: it does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)

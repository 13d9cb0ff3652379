"""Three nodes on machines of a sandbox, without Pulumi: the parts between user data and a client.

What a deployment does is done here by hand: bucket and secrets, the image with its overlay, the
user data of each node as the core renders it.
"""

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import boto3
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan
from inkless_pulumi.core.declaration import declare
from inkless_pulumi.core.host_files import NodeDelivery, node_files
from inkless_pulumi.core.plan import plan_cluster
from inkless_pulumi.core.user_data import cloud_config, encode_user_data
from inkless_pulumi.provider.broker_image import BrokerImage, BrokerImageInputs
from inkless_pulumi.provider.registry_access import RegistryAccessInputs
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.sandbox import machine, processes
from inkless_pulumi.sandbox.artefacts import fetch_overlay_artefacts
from inkless_pulumi.sandbox.containers import find_container_engine
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.making import default_cache
from inkless_pulumi.sandbox.parts import aws_server, registry
from inkless_pulumi.sandbox.standin_image import ensure_standin_image
from tests.sandbox.certificates import Authority

REGION = "eu-central-1"
BUCKET = "test-bucket"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
DIRECTORIES = {
    1: "kMGQk2WcTOyRmpWqmJ5rBg",
    2: "9dVzYpXwQk6mJrTq0X3fLw",
    3: "Qb2vXyZ1R5unbWm7hLk8Zg",
}
PASSWORD = "Zm9yVGVzdHNPbmx5QW5kTmV2ZXJFbHNl"


def eventually(true: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is true; the seconds it took."""
    began = monotonic()
    while not true():
        assert monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        sleep(0.25)
    return monotonic() - began


@dataclass
class LocalCluster:
    """A home with an image, secrets and three machines' worth of user data."""

    home: Home
    plan: ClusterPlan
    endpoint: str
    image: str
    authority: Authority = field(default_factory=Authority)
    machines: dict[int, str] = field(default_factory=dict)
    """The id of each node's present machine."""

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.addresses = {node.node_id: f"127.77.{node.node_id}.10" for node in self.plan.nodes}
        self.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for node_id, address in self.addresses.items():
            pem = self.authority.issue(f"node-{node_id}", "nodes", [address])
            self._secrets.create_secret(Name=f"node-{node_id}", SecretString=pem)
        self._secrets.create_secret(Name="database", SecretString=PASSWORD)

    @property
    def s3(self) -> Any:
        return self._client("s3")

    @property
    def _secrets(self) -> Any:
        return self._client("secretsmanager")

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=aws_server.ACCESS_KEY_ID,
            aws_secret_access_key=aws_server.SECRET_ACCESS_KEY,
        )

    def user_data(self, node_id: int) -> str:
        facts = ClusterFacts(
            cluster_id=CLUSTER_ID,
            directory_ids=DIRECTORIES,
            addresses=self.addresses,
            bucket=BUCKET,
            region=REGION,
            database_host="127.0.0.1",
            database_port=5432,
            database_name="inkless",
            database_user="inkless",
            database_trust="/opt/inkless/trust/rds.pem",
            storage_endpoint=self.endpoint,
        )
        delivery = NodeDelivery(
            cloud="aws",
            region=REGION,
            image=self.image,
            node_secret_id=f"node-{node_id}",
            database_secret_id="database",
            volume_id=f"vol-{node_id}",
            log_group="test",
            marker_url=f"s3://{BUCKET}/inkless/.nodes/{CLUSTER_ID}/{node_id}",
            ca_certificate=self.authority.certificate,
        )
        return encode_user_data(
            cloud_config(node_files(self.plan, self.plan.node(node_id), facts, delivery))
        )

    def start(self, node_id: int) -> str:
        """Start a new machine for a node and attach the node's volume; the machine's id."""
        instance = f"i-{node_id}-{next(self._numbers)}"
        self.machines[node_id] = instance
        spec = machine.InstanceSpec(instance, self.user_data(node_id), self.addresses[node_id])
        machine.start(self.home, spec)
        machine.attach(self.home, instance, f"vol-{node_id}")
        return instance

    def console(self, instance: str) -> str:
        return machine.console(self.home, instance).read_text()

    def admin(self, node_id: int) -> KafkaAdminClient:
        """An administrator that knows of one node only."""
        context = ssl.create_default_context(cadata=self.authority.certificate)
        with tempfile.NamedTemporaryFile("w") as pem:
            pem.write(self.authority.issue("inkless-admin", "admins"))
            pem.flush()
            context.load_cert_chain(pem.name)
        return KafkaAdminClient(
            bootstrap_servers=f"{self.addresses[node_id]}:9094",
            security_protocol="SSL",
            ssl_context=context,
            request_timeout_ms=5000,
            bootstrap_timeout_ms=5000,
        )

    def serves(self, node_id: int) -> bool:
        """Whether a node answers for itself, as an unfenced broker and a voter."""
        if not processes.accepts(self.addresses[node_id], 9094):
            return False  # kafka-python would leave sockets open
        try:
            admin = self.admin(node_id)
        except (KafkaError, OSError):
            return False
        try:
            brokers = admin.describe_cluster()["brokers"]
            quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()
        unfenced = {b["broker_id"] for b in brokers if not b["is_fenced"]}
        return node_id in unfenced and node_id in {
            v["replica_id"] for v in quorum["current_voters"]
        }

    def voters(self, node_id: int) -> dict[int, str]:
        """The voters' directory ids, by node, as a node sees them."""
        admin = self.admin(node_id)
        try:
            quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        finally:
            admin.close()
        return {v["replica_id"]: str(v["replica_directory_id"]) for v in quorum["current_voters"]}


@contextmanager
def local_cluster(directory: Path) -> Iterator[LocalCluster]:
    """A home in a directory, with its parts running; all of it ends with the block."""
    home = Home.at(directory)
    directory.mkdir(parents=True, exist_ok=True)
    port, registry_port = (processes.free_port("127.0.0.1") for _ in range(2))
    endpoint = f"http://127.0.0.1:{port}"
    engine = find_container_engine()
    home.write_settings({"aws_endpoint": endpoint, "container_engine": engine.recorded()})
    try:
        aws_server.ensure(home, port, REGION, "123456789012")
        registry.ensure(home, registry_port, print)
        image = _publish(f"127.0.0.1:{registry_port}")
        service = declare(
            name="test",
            zones=ZONES,
            storage={"kind": "s3", "bucket": BUCKET, "region": REGION, "endpoint": endpoint},
        )
        yield LocalCluster(home, plan_cluster(service), endpoint, image)
    finally:
        machine.stop_all(home, timeout=0.5)
        processes.stop_all(home)


def _publish(host: str) -> str:
    fetch_overlay_artefacts(progress=print)
    upstream = ensure_standin_image(host, default_cache(), print)
    inputs = BrokerImageInputs(
        upstream=upstream,
        repository=f"{host}/inkless",
        registry=RegistryAccessInputs(kind="anonymous"),
        platforms=["linux/amd64"],
    )
    created = BrokerImage().create(inputs, Context("image", "urn:image", print))
    return created.outputs.reference

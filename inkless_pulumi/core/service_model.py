"""The models of what a user declares of a service: its arguments, their types and defaults.

Structure only. What a sound declaration must fulfil besides is in `service_rules`, and the door a
declaration comes in through is `declaration.declare`.
"""

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inkless_pulumi.core.image import DEFAULT_VERSION, Architecture, upstream_image
from inkless_pulumi.core.plans import PLANS, Plan, Topology
from inkless_pulumi.core.reassignment_throttle import DEFAULT_THROTTLE

ClusterType = Literal["inkless", "classic"]
StorageKind = Literal["s3", "gcs"]
SettingValue = str | bool | int | float

HEAP_FLOOR_MIB: Final = 256
"""The smallest heap a node starts and lives with; 160 MiB died of OutOfMemoryError, measured on
a combined node of 4.2.1-0.47."""
LARGEST_SIZED_HEAP_MIB: Final = 8192
"""The largest heap that nobody asked for; see the start script in `broker/`."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StorageDeclaration(_Declared):
    """The object storage of a service: one bucket and one prefix a cluster."""

    kind: StorageKind
    """Whose protocol the bucket speaks."""
    region: str = Field(min_length=1)
    """The region of the bucket."""
    bucket: str | None = None
    """An existing bucket's name. Default: none, one is made."""
    prefix: str = "inkless"
    """The beginning of every object's key, without a slash at either end. Default `inkless`."""
    endpoint: str | None = None
    """The URL of an S3-compatible store. Default: none, the cloud's own service."""


class NetworkDeclaration(_Declared):
    """The network of a service."""

    cidr: str | None = "10.42.0.0/16"
    """The range of a network to make. None: the user brings subnets."""


class ServiceDeclaration(_Declared):
    """An Inkless service as declared; every default is the one a user gets."""

    name: str
    """The service's name: letters, digits and hyphens."""
    zones: tuple[str, ...]
    """Exactly three different availability zones."""
    storage: StorageDeclaration
    """Where diskless topics and tiered segments are stored."""
    network: NetworkDeclaration = NetworkDeclaration()
    """The network to make, or none when subnets are given. Default: `10.42.0.0/16`."""
    cluster_type: ClusterType = "inkless"
    """`inkless`, with diskless topics, or `classic`, without. Fixed at creation."""
    classic_eligible: bool = False
    """That this account is eligible for classic services. Default: it is not."""
    version: str = DEFAULT_VERSION
    """The Inkless version, `<Kafka version>-<increment>`."""
    image: str | None = None
    """An upstream image reference. Default: Aiven's image of the version."""
    plan: str = "small"
    """The plan's name; see `plans.PLANS`."""
    topology: Topology | None = None
    """`combined` or `dedicated`. Default: the plan's."""
    brokers_per_zone: int = Field(default=1, ge=1, le=20)
    """Brokers a zone, for a dedicated topology. Default 1."""
    brokers: int | None = Field(default=None, ge=3, le=60)
    """Brokers in all, for a dedicated topology. Default: three times `brokers_per_zone`."""
    architecture: Architecture = "amd64"
    """The processor of the machines. Default `amd64`."""
    heap_mib: int | None = Field(default=None, ge=HEAP_FLOOR_MIB)
    """The JVM's heap in MiB. Default: sized on the node, from its memory."""
    volume_gib: int | None = Field(default=None, ge=10, le=16384)
    """The data volume of a node with the broker role, in GiB. Default: the plan's."""
    tiered_storage: bool = False
    """Whether classic topics may keep old segments in the bucket. Default: no, because the image
    must then carry the tiered-storage plugin, which not every image does."""
    switch_to_diskless: bool = False
    """Whether classic topics may be switched to diskless, one way. Default: no, because Inkless
    means it for trials, and because it needs tiered storage."""
    reassignment_throttle: str = DEFAULT_THROTTLE
    """The most that a broker sends, and receives, of moving replicas in a second."""
    database_max_connections_per_node: int = Field(default=10, ge=2, le=100)
    """Connections each node keeps open to Postgres. Default 10."""
    settings: Mapping[str, SettingValue] = Field(default_factory=dict)
    """Overrides of broker settings, by Kafka's names."""

    @model_validator(mode="after")
    def _settings_are_a_copy(self) -> Self:
        object.__setattr__(self, "settings", dict(self.settings))
        return self

    @property
    def broker_count(self) -> int:
        """Brokers of a dedicated topology, in all."""
        return self.brokers or 3 * self.brokers_per_zone

    @property
    def sizes(self) -> Plan:
        """The figures of the plan."""
        return PLANS[self.plan]

    def heap_of(self, memory_mib: int) -> int:
        """The heap that the start script gives a machine of so much memory, in MiB."""
        largest, smallest = LARGEST_SIZED_HEAP_MIB, HEAP_FLOOR_MIB
        return self.heap_mib or max(smallest, min(memory_mib // 2, largest))

    @property
    def effective_topology(self) -> Topology:
        """The topology asked for, or the plan's."""
        return self.topology or self.sizes.topology

    @property
    def upstream_image(self) -> str:
        """The reference of the image that the service's own image is built on."""
        return self.image or upstream_image(self.version)

    @property
    def is_diskless(self) -> bool:
        """Whether the service can have diskless topics."""
        return self.cluster_type == "inkless"

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

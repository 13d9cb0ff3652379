"""The arguments of the service component.

What decides which resources exist (zones, counts, sizes, settings) is plain; everything else takes
outputs too. Only shapes that Pulumi's component host can describe to other languages are used, so
no unions, literals or tuples: `core` checks the values.
"""

from typing import Any, NotRequired, TypedDict

import pulumi


class ExistingStorageArgs(TypedDict):
    """A bucket that the service uses and does not manage."""

    bucket: pulumi.Input[str]
    """The bucket's name. Use one bucket, or at least one prefix, a service."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key that encrypts its objects, which the nodes may then use. Default: none."""
    region: NotRequired[str]
    """The bucket's region. Default: the service's."""
    endpoint: NotRequired[str]
    """The URL of an S3-compatible store. Default: the `s3` entry of the stack's `aws:endpoints`,
    else Amazon S3."""


class ExistingDatabaseArgs(TypedDict):
    """A PostgreSQL database on RDS, 16 or newer, that the service uses and does not manage."""

    host: pulumi.Input[str]
    """Its host name, as in its certificate: the brokers verify it with Amazon's CAs for RDS."""
    password_secret_id: pulumi.Input[str]
    """The ARN of the secret whose whole value is the password, in letters and digits."""
    port: NotRequired[pulumi.Input[int]]
    """Its port. Default: 5432."""
    name: NotRequired[pulumi.Input[str]]
    """The database's name; one database a service. Default: `inkless`."""
    user: NotRequired[pulumi.Input[str]]
    """A user that may create tables, types and functions there. Default: `inkless`."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key that encrypts the secret. Default: none, Secrets Manager's own key."""


class InklessServiceArgs(TypedDict):
    """An Inkless service in an AWS account. Only the zones have no default."""

    zones: list[str]
    """Three availability zones of one region, in a fixed order: `["eu-west-1a", …]`."""

    version: NotRequired[str]
    """The Inkless version, `<Kafka version>-<Inkless increment>`. Default: `4.2.1-0.47`."""
    cluster_type: NotRequired[str]
    """`inkless`, with diskless topics, or `classic`, without. Fixed at creation.
    Default: `inkless`."""
    classic_eligible: NotRequired[bool]
    """That this account is eligible for classic services, which can't be upgraded to Inkless.
    Default: false."""
    plan: NotRequired[str]
    """How much machine a node gets: `small`, `medium`, `large` or `xlarge`. Default: `small`."""
    topology: NotRequired[str]
    """`combined` (three nodes, each a broker and a controller) or `dedicated` (three controllers,
    and brokers of their own). Default: the plan's."""
    brokers_per_zone: NotRequired[int]
    """Brokers in each zone of a dedicated topology. Default: 1."""
    brokers: NotRequired[int]
    """Brokers of a dedicated topology in all, which take the zones in turn. Best a multiple of
    three; the numbers between are for growing step by step. Default: three times
    `brokers_per_zone`."""
    rebalance: NotRequired[bool]
    """Whether replicas are moved to new brokers, until every broker has an even share. Without it
    new brokers get replicas of new topics only. Default: false."""
    reassignment_throttle: NotRequired[str]
    """The most that a broker sends, and receives, of replicas that move to other brokers, in a
    second: a size like `50MiB`. It holds for new brokers, for those that leave and for topics that
    get more replicas; replicas that keep a partition in sync are not slowed down. It has to be
    more than producers write to what moves. Default: `32MiB`, a quarter of what a data volume
    does."""
    settings: NotRequired[dict[str, Any]]
    """Broker settings by Kafka's names, on top of the managed ones. Default: none."""
    tiered_storage: NotRequired[bool]
    """Whether classic topics may keep old segments in the bucket. Default: false."""
    switch_to_diskless: NotRequired[bool]
    """Whether classic topics may be switched to diskless, which can't be undone. Needs
    `tiered_storage`. Inkless means it for trials, not yet for production. Default: false."""

    architecture: NotRequired[str]
    """The machines' processor, `amd64` or `arm64`. Default: that of `instance_type`, else
    `amd64`."""
    instance_type: NotRequired[str]
    """The EC2 type of nodes with the broker role. Default: the plan's."""
    controller_instance_type: NotRequired[str]
    """The EC2 type of dedicated controllers. Default: the plan's."""
    heap_mib: NotRequired[int]
    """The JVM's heap in MiB. Default: sized on the node, from its memory."""
    volume_gib: NotRequired[int]
    """The data volume of a broker in GiB; it can grow, not shrink. Default: the plan's."""
    machine_image_id: NotRequired[pulumi.Input[str]]
    """The AMI of the nodes, an Amazon Linux 2023. Default: the newest at creation, which then
    stays."""
    machine_image_renewal: NotRequired[pulumi.Input[str]]
    """Any text; a changed one moves the nodes to the newest AMI, one at a time. Default: empty."""

    upstream_image: NotRequired[str]
    """The Inkless image to build the service's own on. Default: Aiven's of the version."""
    repository_url: NotRequired[pulumi.Input[str]]
    """An ECR repository of this account to push the image to. Default: one is made."""

    on_shortage: NotRequired[str]
    """What to do about topics that are unavailable while a node is changed, as they have no more
    replicas than `min.insync.replicas` asks for, or one: `refuse` the change, `wait` until they
    were given more, or `accept` it. Default: `refuse`."""
    node_timeout_seconds: NotRequired[int]
    """How long a change waits until a node may be stopped, and until it serves again, before it
    fails. Default: 600."""

    cidr: NotRequired[str]
    """The range of the network that is made. Default: `10.42.0.0/16`."""
    subnet_ids: NotRequired[dict[str, pulumi.Input[str]]]
    """Existing subnets of one VPC, one for each zone, by zone. They must offer a way to S3, Secrets
    Manager, ECR, CloudWatch Logs and Systems Manager. Default: none, a network is made."""
    client_cidrs: NotRequired[list[str]]
    """Who may connect to the service: clients, and the machine that runs Pulumi. Default: the
    network that is made; with existing subnets it has to be said."""
    monitoring_cidrs: NotRequired[list[str]]
    """Who may read the nodes' Prometheus metrics. Default: nobody."""
    proxy: NotRequired[pulumi.Input[str]]
    """The way to the nodes for the machine that runs Pulumi: `socks5://host:port`. Default: they
    are reached directly."""

    bucket_name: NotRequired[str]
    """The name of the bucket that is made. Default: one is made from the service's name."""
    storage: NotRequired[ExistingStorageArgs]
    """An existing bucket. Default: none, one is made."""
    key_prefix: NotRequired[str]
    """The beginning of every object's key, without a slash at either end. Default: `inkless`."""

    database: NotRequired[ExistingDatabaseArgs]
    """An existing database. Default: none, one is made on RDS."""
    database_instance_class: NotRequired[str]
    """The class of the database that is made. Default: the plan's."""
    database_multi_az: NotRequired[bool]
    """Whether that database has a standby in another zone. Default: true."""
    database_backup_days: NotRequired[int]
    """How far back that database can be restored, in days, 1 to 35. Default: 7."""
    database_max_connections_per_node: NotRequired[int]
    """Connections each node keeps open to the database. Default: 10."""

    certificate_renewal: NotRequired[pulumi.Input[str]]
    """Any text; a changed one renews the certificates of the nodes, one at a time, and of the
    administrator. By themselves they are renewed in the last third of their year. Default: none."""
    ca_renewal: NotRequired[pulumi.Input[str]]
    """Any text; a changed one renews the CA, and with it every certificate. By itself the CA is
    renewed in the last third of its ten years. Default: none."""

    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key for bucket, volumes, database and secrets. Default: one is made."""
    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """An IAM permissions boundary for the nodes' roles. Default: none."""
    profile: NotRequired[str]
    """The AWS profile that the package's own plugin uses on the machine that runs Pulumi.
    Default: the stack's `aws:profile`, else the usual credential chain."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """How long CloudWatch keeps the nodes' logs. Default: 30."""
    deletion_protection: NotRequired[bool]
    """Whether what holds data (bucket, volumes, database, key) refuses to be deleted or replaced.
    Without it, deleting the service deletes its data. Default: true."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for everything the service creates."""

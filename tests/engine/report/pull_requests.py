"""Pull requests on the quick-start, one after the other, as a platform team would make them.

Each changes the program as the ones that were merged before left it.
"""

from dataclasses import dataclass

from inkless_pulumi.report.assessment import Status
from tests.engine.report.quick_start import Edit

_ZONES = '    "zones": zones,\n'
_OLD_VERSION = '    "version": "4.1.2-0.47",\n'
_LAST_TOPIC = "# A user. The"
_EVENTS = """\
if config.require_bool("diskless"):
    events = DisklessTopic(
        "events",
        {
            "name": "events",
            "partitions": 6,
            "deletion_protection": protection,
            "connection": service.connection,
        },
    )
"""
_UNPROTECTED_EVENTS = _EVENTS.replace("protection,", "False,")
_MANY = """\
# One topic for each of our customers.
customers = TopicSet(
    "customers",
    {
        "topics": {
            f"customer-{number:04}": {"kind": "diskless", "partitions": 3}
            for number in range(1000)
        },
        "deletion_protection": protection,
        "connection": service.connection,
    },
)

"""
_IMPORT = "from inkless_pulumi import AccessRule, ClassicTopic, DisklessTopic, User"
_MANY_EDITS = (
    (_IMPORT, _IMPORT.replace("DisklessTopic, ", "DisklessTopic, TopicSet, ")),
    ("# A user. The", _MANY + "# A user. The"),
)
_AUDIT = """\
# Kept on one disk only: it can be made again from the orders.
audit = ClassicTopic(
    "audit",
    {
        "name": "audit",
        "partitions": 1,
        "replication_factor": 1,
        "deletion_protection": protection,
        "connection": service.connection,
    },
    pulumi.ResourceOptions(depends_on=[orders]),  # so that it is checked after it, in any run
)

"""


@dataclass(frozen=True)
class PullRequest:
    """A change of the program."""

    name: str
    title: str
    edits: tuple[Edit, ...] = ()
    merged: bool = True
    """Whether it is merged, and so carried out."""
    status: Status = "safe"
    """What its report says in a word."""


def _argument(line: str) -> tuple[Edit, ...]:
    return ((_ZONES, f"{_ZONES}    {line}\n"),)


CREATED = PullRequest("create", "A new service", ((_ZONES, _ZONES + _OLD_VERSION),))

PULL_REQUESTS = (
    PullRequest(
        "no-changes",
        "A change of a comment",
        (("# What a client needs.", "# What clients need."),),
        status="no-changes",
    ),
    PullRequest("upgrade", "Another version of Kafka", ((_OLD_VERSION, ""),), status="at-risk"),
    PullRequest(
        "static-setting",
        "A setting that is read at start",
        _argument('"settings": {"num.network.threads": 5},'),
    ),
    PullRequest(
        "dynamic-setting",
        "A setting that Kafka can change while it runs",
        (
            (
                '{"num.network.threads": 5}',
                '{"num.network.threads": 5, "log.segment.bytes": 536870912}',
            ),
        ),
    ),
    PullRequest("heap", "A larger heap", _argument('"heap_mib": 1536,'), merged=False),
    PullRequest("machine-type", "Larger machines", _argument('"instance_type": "t3.large",')),
    PullRequest("volume", "Larger volumes", _argument('"volume_gib": 200,')),
    PullRequest(
        "retention",
        "A shorter retention",
        (('"retention.ms": "7d"', '"retention.ms": "1d"'),),
        status="data-loss",
    ),
    PullRequest(
        "partitions",
        "More partitions",
        (('"partitions": 6,\n        "settings"', '"partitions": 12,\n        "settings"'),),
    ),
    PullRequest("one-replica", "A topic with one replica", ((_LAST_TOPIC, _AUDIT + _LAST_TOPIC),)),
    PullRequest(
        "roll-with-one-replica",
        "A roll while a topic has one replica",
        (('"num.network.threads": 5', '"num.network.threads": 5, "num.io.threads": 10'),),
        merged=False,
        status="at-risk",
    ),
    PullRequest(
        "access-rule",
        "More rights for a user",
        (('"group": "application*"', '"group": "*"'),),
        status="wider-access",
    ),
    PullRequest(
        "open-firewall",
        "Clients from everywhere",
        _argument('"client_cidrs": ["0.0.0.0/0"],'),
        status="wider-access",
    ),
    PullRequest(
        "closed-firewall",
        "Clients from one office",
        (('"client_cidrs": ["0.0.0.0/0"]', '"client_cidrs": ["192.0.2.0/24"]'),),
    ),
    PullRequest(
        "protected-topic-deleted",
        "A topic less, which is protected",
        ((_EVENTS, ""),),
        merged=False,
        status="refused",
    ),
    PullRequest(
        "topic-unprotected",
        "A topic that may be deleted",
        ((_EVENTS, _UNPROTECTED_EVENTS),),
        status="at-risk",
    ),
    PullRequest("topic-deleted", "A topic less", ((_UNPROTECTED_EVENTS, ""),), status="data-loss"),
    PullRequest("thousand-topics", "A thousand topics", _MANY_EDITS),
    PullRequest(
        "thousand-changed-topics",
        "A setting on a thousand topics",
        (
            (
                '"partitions": 3}\n            for',
                '"partitions": 3, "settings": {"retention.ms": "12h"}}\n            for',
            ),
        ),
        status="data-loss",
    ),
    PullRequest(
        "renamed-topic",
        "Another name for a topic",
        (('"name": "orders",\n        "partitions"', '"name": "sales",\n        "partitions"'),),
        merged=False,
        status="refused",
    ),
    PullRequest(
        "wrong-setting",
        "A setting that does not exist",
        (('"num.network.threads": 5', '"num.network.thread": 5'),),
        merged=False,
        status="refused",
    ),
    PullRequest(
        "unprotected",
        "Protection against deletion is turned off",
        (('protection = config.require_bool("deletionProtection")', "protection = False"),),
        status="at-risk",
    ),
)
"""In the order in which they are made."""

SCALED = PullRequest(
    "large-service",
    "A service with brokers and controllers of their own",
    (
        (_ZONES, _ZONES + '    "plan": "large",\n    "brokers_per_zone": 1,\n'),
        ('protection = config.require_bool("deletionProtection")', "protection = False"),
    ),
)
SCALING = (
    PullRequest(
        "scale-out",
        "More brokers",
        (('"brokers_per_zone": 1', '"brokers_per_zone": 2'),),
    ),
    PullRequest(
        "scale-in",
        "Fewer brokers",
        (('"brokers_per_zone": 2', '"brokers_per_zone": 1'),),
        status="at-risk",
    ),
)

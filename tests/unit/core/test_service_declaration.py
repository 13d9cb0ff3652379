"""What a user may declare of a service, and what each mistake is answered with."""

from typing import Any

import pytest

from inkless_pulumi.core.declaration import check_cluster_type_change, declare
from inkless_pulumi.core.errors import DeclarationError
from tests.unit.core.declarations import BASE, ZONES, service


def refusal(**changes: Any) -> str:
    """What a declaration is refused with."""
    with pytest.raises(DeclarationError) as caught:
        declare(**(BASE | changes))
    return str(caught.value)


def storage(**changes: Any) -> dict[str, Any]:
    return {"kind": "s3", "region": "eu-west-1"} | changes


REFUSED = [
    (
        "a switch to diskless without tiered storage",
        {"switch_to_diskless": True},
        'service "orders": switch_to_diskless = true: needs tiered storage, which holds what a '
        "topic had before it became diskless; set tiered_storage=True as well",
    ),
    (
        "a switch to diskless of a classic service",
        {"switch_to_diskless": True, "cluster_type": "classic", "classic_eligible": True},
        'service "orders": switch_to_diskless = true: needs diskless topics, and this is a classic '
        "service; leave it out",
    ),
    (
        "a throttle without a unit",
        {"reassignment_throttle": "50"},
        'service "orders": reassignment_throttle = "50": is less than 65536 bytes a second, at '
        'which moving replicas would never end; use more, like "50MiB"',
    ),
    (
        "a zone twice",
        {"zones": ("eu-west-1a", "eu-west-1b", "eu-west-1a")},
        'service "orders": zones = ["eu-west-1a", "eu-west-1b", "eu-west-1a"]: names eu-west-1a '
        "more than once; each zone gets one controller; name three different zones",
    ),
    (
        "two zones",
        {"zones": ("eu-west-1a", "eu-west-1b")},
        'service "orders": zones = ["eu-west-1a", "eu-west-1b"]: has 2 zones where 3 are needed; '
        "name three zones, so that the quorum survives the loss of any of them",
    ),
    (
        "a zone that is none",
        {"zones": ("eu-west-1a", "eu-west-1b", "EU West")},
        'service "orders": zones[2] = "EU West": is not a zone\'s name; write it like "eu-west-1a"',
    ),
    (
        "a version that does not exist",
        {"version": "3.9.0-0.12"},
        'service "orders": version = "3.9.0-0.12": is not a version that this release of the '
        "package was tested with; use one of 4.2.1-0.47, 4.1.2-0.47",
    ),
    (
        "a version that moves",
        {"version": "4.2-latest"},
        'service "orders": version = "4.2-latest": is a tag that moves, so nodes of one cluster '
        "could run different code; use one of 4.2.1-0.47, 4.1.2-0.47",
    ),
    (
        "a version of Kafka alone",
        {"version": "4.2.1"},
        'service "orders": version = "4.2.1": is not an Inkless version, which is written '
        "<Kafka version>-<Inkless increment>; use one of 4.2.1-0.47, 4.1.2-0.47",
    ),
    (
        "an image that moves",
        {"image": "registry.example.com/inkless:latest"},
        'service "orders": image = "registry.example.com/inkless:latest": does not pin a version: '
        "what such a reference points to changes over time; name a full version "
        '("registry.example.com/inkless:4.2.1-0.47") or a digest',
    ),
    (
        "a plan that is mistyped",
        {"plan": "smal"},
        'service "orders": plan = "smal": is not a plan; the plans are small, medium, large, '
        'xlarge; did you mean "small"?',
    ),
    (
        "several brokers a zone where they are controllers too",
        {"brokers_per_zone": 2},
        'service "orders": brokers_per_zone = 2: a combined topology has exactly one node a zone; '
        'use topology="dedicated", or leave brokers_per_zone at 1',
    ),
    (
        "brokers beside combined nodes",
        {"brokers": 4},
        'service "orders": brokers = 4: a combined topology has exactly three nodes; '
        'use topology="dedicated", or leave brokers out',
    ),
    (
        "brokers counted twice",
        {"topology": "dedicated", "brokers": 4, "brokers_per_zone": 2},
        'service "orders": brokers = 4: says the same as brokers_per_zone; leave out either',
    ),
    (
        "a heap too small to start with",
        {"heap_mib": 128},
        'service "orders": heap_mib = 128: is out of range; use 256 or more',
    ),
    (
        "a heap too large for the machine",
        {"heap_mib": 4096},
        'service "orders": heap_mib = 4096: plan "small" has machines of 4096 MiB, which leave '
        "3072 MiB; ask for less, or leave it out to size it there",
    ),
    (
        "a classic service without eligibility",
        {"cluster_type": "classic"},
        'service "orders": cluster_type = "classic": classic services are for eligible accounts '
        "only: those that must run without diskless topics and know that a classic service can't "
        "be upgraded to Inkless in place; moving later means a new service and a migration of its "
        'data; leave cluster_type at "inkless", or set classic_eligible=True if yours is eligible',
    ),
    (
        "a cluster type that does not exist",
        {"cluster_type": "diskless"},
        'service "orders": cluster_type = "diskless": is not one of the possible values; use '
        "'inkless' or 'classic'",
    ),
    (
        "a prefix that starts with a slash",
        {"storage": storage(prefix="/inkless")},
        'service "orders": storage.prefix = "/inkless": must not start or end with a slash: '
        'brokers would start and then fail to store; use "inkless"',
    ),
    (
        "a prefix that ends with a slash",
        {"storage": storage(prefix="inkless/")},
        'service "orders": storage.prefix = "inkless/": must not start or end with a slash: '
        'brokers would start and then fail to store; use "inkless"',
    ),
    (
        "an empty prefix",
        {"storage": storage(prefix="")},
        'service "orders": storage.prefix = "": must not be empty: the nodes\' rights are limited '
        'to their prefix of the bucket; use "inkless", the default',
    ),
    (
        "a bucket that S3 would refuse",
        {"storage": storage(bucket="Orders")},
        'service "orders": storage.bucket = "Orders": a bucket name has lower-case letters, '
        'digits, dots and hyphens only; choose a name like "orders-inkless-7f3a", or leave it out '
        "to have one made",
    ),
    (
        "a blank endpoint",
        {"storage": storage(endpoint=" ")},
        'service "orders": storage.endpoint = " ": must not be blank; write a URL with a host, or '
        "leave it out for the cloud's own service",
    ),
    (
        "a misspelt part of an argument",
        {"storage": storage(prefx="x")},
        'service "orders": storage.prefx: is not an argument; did you mean "prefix"?',
    ),
    (
        "an argument of no kind we know",
        {"zone": ZONES},
        'service "orders": zone: is not an argument; did you mean "zones"?',
    ),
    (
        "a network that is none",
        {"network": {"cidr": "10.42.0.1/16"}},
        'service "orders": network.cidr = "10.42.0.1/16": has bits set behind its prefix; the '
        'network of that size is "10.42.0.0/16"',
    ),
    (
        "a name that clouds refuse",
        {"name": "my_service"},
        'service "my_service": name = "my_service": must be at most 40 letters, digits and single '
        "hyphens, and begin with a letter, because the names of cloud resources are made from it; "
        'choose a name like "orders"',
    ),
    (
        "a value of another type",
        {"volume_gib": "large"},
        'service "orders": volume_gib = "large": must be a valid integer; give a '
        "value of that kind",
    ),
    (
        "a setting that is no single value",
        {"settings": {"log.retention.ms": [1]}},
        'service "orders": settings["log.retention.ms"] = [1]: must be a valid string; give a '
        "value of that kind",
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_wrong_argument_is_refused_with_a_way_out(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes) == message


def test_all_mistakes_are_told_at_once() -> None:
    message = refusal(zones=ZONES[:2], version="latest", plan="huge")
    assert message.startswith('service "orders" has 3 problems:\n  - zones = ')
    assert message.count("\n  - ") == 3


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DeclarationError, match=r"zones: is required"):
        declare(name="orders", storage=storage())


def test_an_eligible_account_may_have_a_classic_service() -> None:
    declared = service(cluster_type="classic", classic_eligible=True)
    assert not declared.is_diskless


def test_the_defaults_are_the_documented_ones() -> None:
    declared = service()
    assert declared.upstream_image == "ghcr.io/aiven/inkless:4.2.1-0.47"
    assert declared.effective_topology == "combined"
    assert declared.storage.prefix == "inkless"
    assert declared.network.cidr == "10.42.0.0/16"
    assert not declared.tiered_storage


def test_large_plans_have_controllers_of_their_own() -> None:
    assert service(plan="large").effective_topology == "dedicated"
    assert service(plan="large", topology="combined").effective_topology == "combined"


def test_a_declaration_is_not_changed_by_changing_what_it_was_made_from() -> None:
    settings = {"num.partitions": 6}
    declared = service(settings=settings)
    settings["num.partitions"] = 1
    assert declared.settings == {"num.partitions": 6}


def test_an_unchanged_cluster_type_is_no_problem() -> None:
    assert check_cluster_type_change("inkless", "inkless") == []


def test_a_classic_service_cant_become_an_inkless_one() -> None:
    (problem,) = check_cluster_type_change("classic", "inkless")
    assert str(problem) == (
        'cluster_type = "inkless": the type of a service is fixed at creation, and this one is '
        '"classic": a classic service can\'t be upgraded to Inkless in place; moving later means a '
        'new service and a migration of its data; set it back to "classic", or declare a new '
        'service of type "inkless" and move to it'
    )


def test_an_inkless_service_cant_become_a_classic_one() -> None:
    (problem,) = check_cluster_type_change("inkless", "classic")
    assert "diskless topics have no way back to classic" in problem.rule

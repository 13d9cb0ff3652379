"""Replacement or update: what the stand-in for AWS's plugin makes of a change."""

from typing import Any

import pytest

from inkless_pulumi.sandbox.account import Account
from inkless_pulumi.sandbox.standin.aws.cloud import Aws
from inkless_pulumi.sandbox.standin.behaviour import Site
from inkless_pulumi.sandbox.standin.lifecycle import ResourceLifecycle
from inkless_pulumi.sandbox.standin.wire import UNKNOWN

AWS = Aws()
INSTANCE = "aws:ec2/instance:Instance"


def changes(
    token: str,
    old: dict[str, Any],
    new: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    default_tags: dict[str, str] | None = None,
) -> dict[str, str]:
    """Path of each change to what it does."""
    found, _ = compare(token, old, new, state=state, default_tags=default_tags)
    return {change.path: "replace" if change.replaces else "update" for change in found}


def compare(token: str, old: Any, new: Any, *, state: Any = None, default_tags: Any = None) -> Any:
    resource = AWS.table.get(token)
    assert resource is not None
    account = Account(None)
    site = Site(account, "123456789012", "eu-central-1", default_tags=default_tags or {})
    urn = f"urn:pulumi:s::p::{token}::r"
    life = ResourceLifecycle(AWS, site, resource, AWS.behaviours[token], urn)
    try:
        return life.diff(old, state or {}, new)
    finally:
        account.close()


@pytest.mark.parametrize(
    ("name", "old", "new", "does"),
    [
        ("ami", "ami-1", "ami-2", "replace"),
        ("vpcSecurityGroupIds", ["sg-1"], ["sg-2"], "update"),
        ("instanceType", "m7g.large", "m7g.xlarge", "update"),
        ("instanceType", "m7g.large", "m7i.large", "replace"),
        ("iamInstanceProfile", "a", "b", "update"),
    ],
)
def test_a_change_of_an_instance_does_what_the_cloud_does(
    name: str, old: Any, new: Any, does: str
) -> None:
    assert changes(INSTANCE, {name: old}, {name: new}) == {name: does}


def test_user_data_replaces_only_where_the_program_asks_for_it() -> None:
    old, new = {"userDataBase64": "YQ=="}, {"userDataBase64": "Yg=="}
    assert changes(INSTANCE, old, new) == {"userDataBase64": "update"}
    asked = {"userDataReplaceOnChange": True}
    assert changes(INSTANCE, old | asked, new | asked) == {"userDataBase64": "replace"}


def test_a_nested_change_is_named_by_its_path() -> None:
    old = {"rootBlockDevice": {"encrypted": False, "volumeSize": 8}}
    new = {"rootBlockDevice": {"encrypted": True, "volumeSize": 20}}
    assert changes(INSTANCE, old, new) == {
        "rootBlockDevice.encrypted": "replace",
        "rootBlockDevice.volumeSize": "update",
    }


def test_adding_a_block_that_holds_a_replacing_field_replaces() -> None:
    added = {"primaryNetworkInterface": {"networkInterfaceId": "eni-1"}}
    assert changes(INSTANCE, {}, added) == {"primaryNetworkInterface": "replace"}


def test_what_the_cloud_keeps_is_no_change_when_the_program_leaves_it_out() -> None:
    assert changes("aws:rds/instance:Instance", {"port": 5433}, {}) == {}


def test_the_order_of_elements_is_no_change() -> None:
    old, new = {"vpcSecurityGroupIds": ["a", "b"]}, {"vpcSecurityGroupIds": ["b", "a"]}
    assert changes(INSTANCE, old, new) == {}


def test_the_spelling_of_a_policy_is_no_change() -> None:
    old, new = {"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}
    assert changes("aws:s3/bucketPolicy:BucketPolicy", old, new) == {}
    other = {"policy": '{"b":2,"a":2}'}
    assert changes("aws:s3/bucketPolicy:BucketPolicy", old, other) == {"policy": "update"}


def test_a_write_only_password_changes_by_its_version_alone() -> None:
    old = {"passwordWo": "one", "passwordWoVersion": 1}
    assert changes("aws:rds/instance:Instance", old, old | {"passwordWo": "two"}) == {}
    assert changes("aws:rds/instance:Instance", old, old | {"passwordWoVersion": 2}) == {
        "passwordWoVersion": "update"
    }


def test_an_unknown_value_is_a_change() -> None:
    assert changes(INSTANCE, {"ami": "ami-1"}, {"ami": UNKNOWN}) == {"ami": "replace"}


def test_a_region_that_is_the_providers_own_is_no_change() -> None:
    vpc = "aws:ec2/vpc:Vpc"
    assert changes(vpc, {}, {"region": "eu-central-1"}) == {}
    assert changes(vpc, {}, {"region": "eu-west-1"}) == {"region": "replace"}


def test_another_default_tag_of_the_provider_updates() -> None:
    vpc = "aws:ec2/vpc:Vpc"
    state = {"tagsAll": {"a": "b"}}
    tags = {"tags": {"a": "b"}}
    assert changes(vpc, tags, tags, state=state) == {}
    assert changes(vpc, tags, tags, state=state, default_tags={"team": "x"}) == {
        "tagsAll": "update"
    }


@pytest.mark.parametrize(("defaults", "first"), [([], True), (["bucket"], False)])
def test_a_replacement_deletes_first_where_the_program_gave_the_name(
    defaults: list[str], first: bool
) -> None:
    old = {"bucket": "data", "objectLockEnabled": False, "__defaults": defaults}
    _, deletes_first = compare("aws:s3/bucket:Bucket", old, old | {"objectLockEnabled": True})
    assert deletes_first is first


def test_a_route_to_another_target_updates_and_to_another_destination_replaces() -> None:
    route = "aws:ec2/route:Route"
    old = {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}
    assert changes(route, old, old | {"gatewayId": "igw-2"}) == {"gatewayId": "update"}
    assert changes(route, old, old | {"destinationCidrBlock": "10.0.0.0/8"}) == {
        "destinationCidrBlock": "replace"
    }


def test_addresses_that_keep_the_primary_one_update() -> None:
    interface = "aws:ec2/networkInterface:NetworkInterface"
    old = {"privateIps": ["10.0.0.10"]}
    assert changes(interface, old, {"privateIps": ["10.0.0.10", "10.0.0.11"]}) == {
        "privateIps": "update"
    }
    assert changes(interface, old, {"privateIps": ["10.0.0.11"]}) == {"privateIps": "replace"}

"""The machine image: looked up once, and again only when it is asked for."""

from collections.abc import Iterator

import boto3
import pytest

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.machine_image import MachineImage, MachineImageInputs
from tests.unit.provider.secret_manager import CONTEXT, REGION, aws_in_memory

IMAGE = MachineImage()
NAME = "/vendor/linux/current"
WANTED = MachineImageInputs(parameter=NAME, region=REGION)


def publish(image_id: str) -> None:
    client = boto3.client("ssm", REGION)
    client.put_parameter(Name=NAME, Value=image_id, Type="String", Overwrite=True)


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with aws_in_memory():
        publish("ami-0000000000000000a")
        yield


def test_a_new_image_of_the_vendor_changes_nothing() -> None:
    first = IMAGE.create(WANTED, CONTEXT).outputs
    publish("ami-0000000000000000b")
    assert IMAGE.read(first.image_id, WANTED, first, CONTEXT) == (WANTED, first)
    elsewhere = WANTED.model_copy(update={"profile": "other"})
    assert IMAGE.update(first.image_id, WANTED, first, elsewhere, CONTEXT) == first
    assert first.image_id == "ami-0000000000000000a"


def test_a_renewal_looks_again() -> None:
    first = IMAGE.create(WANTED, CONTEXT).outputs
    publish("ami-0000000000000000b")
    renewed = WANTED.model_copy(update={"renewal": "2026-01"})
    second = IMAGE.update(first.image_id, WANTED, first, renewed, CONTEXT)
    assert second.image_id == "ami-0000000000000000b"


def test_a_parameter_that_does_not_exist_is_named_with_where_to_look() -> None:
    missing = MachineImageInputs(parameter="/vendor/linux/next", region=REGION)
    with pytest.raises(InklessError, match=r"/vendor/linux/next in eu-central-1 does not exist"):
        IMAGE.create(missing, CONTEXT)


def test_a_parameter_that_holds_something_else_is_refused() -> None:
    publish("docker.io/library/linux")
    with pytest.raises(InklessError, match="which is no machine image"):
        IMAGE.create(WANTED, CONTEXT)


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(InklessError, match="no AWS profile 'elsewhere'"):
        IMAGE.create(WANTED.model_copy(update={"profile": "elsewhere"}), CONTEXT)


def test_an_import_is_refused_with_the_way_out() -> None:
    with pytest.raises(InklessError, match="giving the service that image's id"):
        IMAGE.read("ami-1", None, None, CONTEXT)


def test_a_relative_parameter_name_is_refused() -> None:
    (problem,) = IMAGE.check({"parameter": "linux/current"}, None)
    assert problem.path == "parameter"

"""What the tests of the plugin's Kafka resources share."""

from collections.abc import Iterator

import pytest

from tests.unit.provider.memory_cluster import MemoryCluster, Screen


@pytest.fixture
def cluster() -> MemoryCluster:
    """A cluster in memory, new for each test."""
    return MemoryCluster()


@pytest.fixture
def screen() -> Screen:
    """What a resource tells its user."""
    return Screen()


@pytest.fixture
def aws_account() -> Iterator[None]:
    """An empty AWS account in memory."""
    from tests.unit.provider.secret_manager import aws_in_memory  # moto takes a second to import

    with aws_in_memory():
        yield

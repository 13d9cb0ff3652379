"""What the tests of the plugin's Kafka resources share."""

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

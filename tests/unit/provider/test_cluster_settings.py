"""Settings that running brokers take: what is sent, what is left alone, what is refused."""

import pytest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.cluster_settings import (
    ClusterSettings,
    ClusterSettingsInputs,
    ClusterSettingsOutputs,
)
from inkless_pulumi.provider.declared_services import DeclaredService, DeclaredServices
from inkless_pulumi.provider.kafka.model import Refusal
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

NONE = ClusterSettingsOutputs()


@pytest.fixture
def declared() -> DeclaredServices:
    return DeclaredServices()


@pytest.fixture
def resource(cluster: MemoryCluster, declared: DeclaredServices) -> ClusterSettings:
    return ClusterSettings(cluster.open, declared)


def settings(**values: str) -> ClusterSettingsInputs:
    named = {name.replace("_", "."): value for name, value in values.items()}
    return ClusterSettingsInputs(service="cluster", settings=named, connection=CONNECTION)


def test_only_what_differs_is_sent(resource: ClusterSettings, cluster: MemoryCluster) -> None:
    cluster.settings.all["message.max.bytes"] = "2000000"
    wanted = settings(message_max_bytes="2000000", log_retention_ms="3600000")
    resource.create(wanted, Screen().context())
    resource.create(wanted, Screen().context())
    assert cluster.settings.alterations == [{"log.retention.ms": "3600000"}]


def test_what_is_not_declared_any_more_is_unset_and_nothing_else(
    resource: ClusterSettings, cluster: MemoryCluster
) -> None:
    old, new = settings(log_retention_ms="1", message_max_bytes="2"), settings(log_retention_ms="3")
    resource.create(old, Screen().context())
    resource.update("cluster", old, NONE, new, Screen().context())
    assert cluster.settings.all == {"log.retention.ms": "3", "min.insync.replicas": "2"}


def test_a_service_without_such_settings_has_them_unset(
    resource: ClusterSettings, cluster: MemoryCluster, declared: DeclaredServices
) -> None:
    old = settings(log_retention_ms="1")
    resource.create(old, Screen().context())
    declared.declare("cluster", DeclaredService(frozenset([1, 2, 3])))
    resource.delete("cluster", old, NONE, Screen().context())
    assert cluster.settings.all == {"min.insync.replicas": "2"}


def test_a_service_that_goes_as_a_whole_is_not_asked(
    resource: ClusterSettings, cluster: MemoryCluster
) -> None:
    resource.delete("cluster", settings(log_retention_ms="1"), NONE, Screen().context())
    assert cluster.opened == []


def test_drift_of_what_is_declared_is_seen(
    resource: ClusterSettings, cluster: MemoryCluster
) -> None:
    wanted = settings(log_retention_ms="1", message_max_bytes="2")
    cluster.settings.all |= {"log.retention.ms": "9", "compression.type": "zstd"}
    found = resource.read("cluster", wanted, NONE, Screen().context())
    assert found is not None
    assert found[0].settings == {"log.retention.ms": "9"}


def test_what_kafka_refuses_is_told_with_its_reason(
    resource: ClusterSettings, cluster: MemoryCluster
) -> None:
    cluster.settings.refused = Refusal("INVALID_CONFIG", "Invalid value")
    with pytest.raises(ClusterError, match=r"log\.retention\.ms.*INVALID_CONFIG: Invalid value"):
        resource.create(settings(log_retention_ms="1"), Screen().context())


def test_a_setting_that_needs_a_restart_is_refused(resource: ClusterSettings) -> None:
    [problem] = resource.check({"settings": {"num.partitions": "6"}}, None)
    assert problem.path == 'settings["num.partitions"]'

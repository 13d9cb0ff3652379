"""The feature level: when it is raised, and which versions may follow."""

import pytest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.feature_level import (
    FeatureLevel,
    FeatureLevelInputs,
    FeatureLevelOutputs,
)
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

OLD = FeatureLevelInputs(service="cluster", version="4.1.2-0.47", connection=CONNECTION)
NEW = OLD.model_copy(update={"version": "4.2.1-0.47"})
AT_27 = FeatureLevelOutputs(metadata_version=27)


@pytest.fixture
def level(cluster: MemoryCluster) -> FeatureLevel:
    return FeatureLevel(cluster.open)


def test_the_level_is_raised_to_what_the_nodes_support(
    level: FeatureLevel, cluster: MemoryCluster
) -> None:
    cluster.features.supported = 29
    screen = Screen()
    assert level.update("cluster", OLD, AT_27, NEW, screen.context()).metadata_version == 29
    assert cluster.features.finalised == 29
    assert screen.lines == ["metadata.version 27 becomes 29"]


def test_a_cluster_that_has_the_level_is_left_alone(
    level: FeatureLevel, cluster: MemoryCluster
) -> None:
    cluster.features.refused = "must not be asked"
    assert level.create(OLD, Screen().context()).outputs == AT_27


def test_another_connection_finalises_nothing(level: FeatureLevel, cluster: MemoryCluster) -> None:
    level.update("cluster", OLD, AT_27, OLD, Screen().context())
    assert cluster.opened == []


def test_a_refusal_names_its_likely_cause(level: FeatureLevel, cluster: MemoryCluster) -> None:
    cluster.features.supported, cluster.features.refused = 29, "node 3 supports 27"
    with pytest.raises(ClusterError, match=r"an older version .*: node 3 supports 27"):
        level.update("cluster", OLD, AT_27, NEW, Screen().context())


def test_an_older_kafka_than_the_finalised_one_is_refused(level: FeatureLevel) -> None:
    [problem] = level.check({"version": "4.1.2-0.47"}, {"version": "4.2.1-0.47"})
    assert "metadata.version is finalised" in problem.rule


def test_an_older_inkless_than_the_database_has_is_refused(level: FeatureLevel) -> None:
    [problem] = level.check({"version": "4.2.1-0.46"}, {"version": "4.2.1-0.47"})
    assert "migrations go forward only" in problem.rule


@pytest.mark.parametrize("wanted", ["4.2.1-0.47", "4.2.0-0.47", "4.2.1-0.48", "4.3.0-0.47"])
def test_what_can_follow_is_not_refused(level: FeatureLevel, wanted: str) -> None:
    assert [*level.check({"version": wanted}, {"version": "4.2.1-0.47"})] == []


def test_an_upgrade_is_explained_beforehand(level: FeatureLevel) -> None:
    [kafka] = level.warnings({"version": "4.2.1-0.47"}, {"version": "4.1.2-0.47"})
    assert "metadata.version is finalised" in kafka
    [inkless] = level.warnings({"version": "4.2.1-0.48"}, {"version": "4.2.1-0.47"})
    assert "migrates the Postgres schema" in inkless
    assert [*level.warnings({"version": "4.2.1-0.47"}, {"version": "4.2.1-0.47"})] == []
    assert [*level.warnings({"version": "4.2.1-0.47"}, None)] == []

"""Which settings need no restart."""

from hypothesis import given

from inkless_pulumi.core.catalogue import broker_settings, setting_text
from inkless_pulumi.core.dynamic_settings import (
    STATIC_BY_CHOICE,
    dynamic_settings,
    is_dynamic,
    static_settings,
)
from inkless_pulumi.core.service_model import ServiceDeclaration
from tests.unit.core.declarations import valid_services


def test_what_kafka_takes_cluster_wide_is_dynamic_and_what_it_reads_at_start_is_not() -> None:
    settings = {"log.retention.ms": 1000, "num.partitions": 6, "message.max.bytes": 2_000_000}
    assert dynamic_settings(settings) == {
        "log.retention.ms": "1000",
        "message.max.bytes": "2000000",
    }
    assert static_settings(settings) == {"num.partitions": "6"}


def test_sizes_of_thread_pools_are_read_at_start() -> None:
    pools = {
        name
        for name, setting in broker_settings().items()
        if setting.update == "cluster-wide" and ("thread" in name or "fetchers" in name)
    }
    assert pools == STATIC_BY_CHOICE
    assert not any(is_dynamic(name) for name in pools)


def test_a_family_that_only_the_nodes_know_is_static() -> None:
    assert static_settings({"rsm.config.chunk.size": 1}) == {"rsm.config.chunk.size": "1"}


@given(valid_services())
def test_every_setting_is_one_or_the_other(declared: ServiceDeclaration) -> None:
    dynamic, static = dynamic_settings(declared.settings), static_settings(declared.settings)
    assert dynamic.keys().isdisjoint(static)
    assert dynamic | static == {
        name: setting_text(value) for name, value in declared.settings.items()
    }

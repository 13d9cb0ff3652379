"""One node at a time: the promise that a running service keeps running, seen from the engine."""

from collections.abc import Sequence

import pytest

from tests.engine.aws.rehearsal import Rehearsal, service, steps, touched
from tests.engine.real_engine import Engine, EngineError, Run

MACHINES = ("node-1", "node-2", "node-3")
PARTS = ("", "-attachment", "-ready", "-stop")
CHANGED = {f"kafka-{node}{part}" for node in MACHINES for part in PARTS} | {"kafka-rolling-order"}


def turns(order: Sequence[str]) -> list[tuple[str, str]]:
    """What happens when the nodes are changed in an order: one after the other."""
    return [
        step
        for node in order
        for step in (
            ("delete-replaced", f"kafka-{node}-stop"),
            ("delete-replaced", f"kafka-{node}-attachment"),
            ("delete-replaced", f"kafka-{node}"),
            ("create-replacement", f"kafka-{node}"),
            ("create-replacement", f"kafka-{node}-attachment"),
            ("update", f"kafka-{node}-ready"),
        )
    ]


def finished(run: Run) -> list[tuple[str, str]]:
    """What was done to the nodes, in order; guards are put up beside the next node's turn."""
    return [
        (operation, name)
        for phase, operation, name in steps(run)
        if phase == "end" and operation in ("delete-replaced", "create-replacement", "update")
        if name not in ("kafka", "kafka-rolling-order")
        if not (operation == "create-replacement" and name.endswith("-stop"))
    ]


def test_a_changed_setting_replaces_one_machine_after_the_other(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service())
    assert rehearsal.waited_for == ["node-3"], "two alone are no cluster, so only the last waits"
    rehearsal.forget()

    changed = service(settings={"num.partitions": 6})
    planned = engine.preview(changed)
    rehearsal.order(3, 1, 2)
    done = engine.up(changed, parallel=64)

    assert touched(planned) == touched(done) == CHANGED, "no address, volume or credential"
    assert finished(done) == turns(["node-3", "node-1", "node-2"])
    assert rehearsal.journal == [
        "order 3 1 2",
        *(f"{asked} node-{node}" for node in (3, 1, 2) for asked in ("stop", "wait")),
    ]

    assert engine.preview(changed).changed == {}
    assert engine.refresh().changed == {}

    # AWS could change a machine's type in place, by a stop that no gate would notice.
    larger = engine.preview(service(settings={"num.partitions": 6}, instance_type="t3.large"))
    assert touched(larger) == CHANGED
    assert ("begin", "create-replacement", "kafka-node-1") in steps(larger)


def test_added_brokers_leave_the_others_alone(engine: Engine, rehearsal: Rehearsal) -> None:
    engine.up(service(plan="large"))
    assert rehearsal.waited_for == ["node-11", "node-12", "node-13"]

    more = service(plan="large", brokers_per_zone=2)
    grown = engine.up(more)

    added = ("node-14", "node-15", "node-16")
    others = [name for name in touched(grown) if not any(node in name for node in added)]
    assert others == ["kafka-rolling-order"]


def test_a_node_that_must_not_stop_stops_the_change_before_anything_is_touched(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service())
    rehearsal.forget()
    rehearsal.order(1, 2, 3)
    changed = service(settings={"num.partitions": 6})

    rehearsal.forbid_stop("node-2", "orders would be unavailable without it")
    with pytest.raises(EngineError, match="orders would be unavailable without it"):
        engine.up(changed)
    assert rehearsal.journal == ["order 1 2 3", "stop node-1", "wait node-1", "stop node-2"]
    machines = engine.resources()
    assert machines["kafka-node-2"]["outputs"]["instanceState"] == "running"

    rehearsal.allow_stop("node-2")
    rehearsal.forget()
    again = engine.up(changed)
    assert finished(again) == turns(["node-2", "node-3"]), "it goes on where it stopped"
    assert engine.preview(changed).changed == {}


def test_a_service_that_is_removed_is_not_waited_for(engine: Engine, rehearsal: Rehearsal) -> None:
    engine.up(service())
    rehearsal.forget()
    engine.up(lambda: None)
    assert rehearsal.journal == []


def test_renewed_certificates_reach_the_nodes_one_after_the_other(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    certificates = {f"kafka-{name}-certificate" for name in (*MACHINES, "admin")}
    engine.up(service())
    rehearsal.order(1, 2, 3)

    asked = service(certificate_renewal="2026")
    assert touched(engine.preview(asked)) == CHANGED | certificates
    assert finished(engine.up(asked))[-18:] == turns(MACHINES)
    assert engine.preview(asked).changed == {}

    # The authority and all that it signed, in one roll: both authorities are trusted meanwhile.
    new_authority = service(certificate_renewal="2026", ca_renewal="2026")
    renewed = CHANGED | certificates | {"kafka-ca-certificate"}
    assert touched(engine.preview(new_authority)) == renewed
    done = engine.up(new_authority)
    assert finished(done)[-18:] == turns(MACHINES)
    assert done.outputs["connection"]["ca_certificate"].count("BEGIN CERTIFICATE") == 2
    assert engine.preview(new_authority).changed == {}
    assert engine.refresh().changed == {}


def test_a_setting_that_running_nodes_take_touches_no_node(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service(settings={"num.partitions": 6}))
    rehearsal.forget()

    dynamic = service(settings={"num.partitions": 6, "log.retention.ms": 3_600_000})
    assert touched(engine.preview(dynamic)) == {"kafka-settings"}
    engine.up(dynamic)
    assert engine.preview(dynamic).changed == {}
    assert touched(engine.up(service(settings={"num.partitions": 6}))) == {"kafka-settings"}
    assert rehearsal.journal == [
        "settings {'log.retention.ms': '3600000'}",
        "settings {'log.retention.ms': None}",
    ]

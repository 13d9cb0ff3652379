"""One node at a time: the promise that a running service keeps running, seen from the engine."""

from collections.abc import Sequence

import pulumi
import pytest

from tests.engine.aws.rehearsal import Rehearsal, declare, service, steps, touched
from tests.engine.real_engine import Engine, EngineError, Program, Run

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
        if name not in ("kafka", "kafka-rolling-order", "kafka-feature-level")
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


LEFT = ("end", "delete")


def test_brokers_come_and_go_beside_the_others(engine: Engine, rehearsal: Rehearsal) -> None:
    engine.up(service(plan="large"))
    assert rehearsal.waited_for == ["node-11", "node-12", "node-13"]

    grown = engine.up(service(plan="large", brokers=5))

    added = ("node-14", "node-15")
    others = [name for name in touched(grown) if not any(node in name for node in added)]
    assert others == ["kafka-rolling-order"]
    rehearsal.forget()

    smaller = engine.up(service(plan="large"))
    others = [name for name in touched(smaller) if not any(node in name for node in added)]
    assert others == ["kafka-rolling-order"]
    journal = rehearsal.journal
    for number in (14, 15):
        places = [
            journal.index(line)
            for line in (f"drain node-{number}", f"stop node-{number}", f"unregister {number}")
        ]
        assert places == sorted(places)
    gone = [name for phase, operation, name in steps(smaller) if (phase, operation) == LEFT]
    for node in ("node-15", "node-14"):
        places = [gone.index(f"kafka-{node}{part}") for part in ("-stop", "", "-registration")]
        assert places == sorted(places)
        assert gone.index(f"kafka-{node}-data") > gone.index(f"kafka-{node}")


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


def test_what_is_accepted_holds_for_the_update_that_declares_it(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service())
    rehearsal.order(1, 2, 3)
    rehearsal.forbid_stop("node-1", "orders would be unavailable without it")
    with pytest.raises(EngineError, match="orders would be unavailable"):
        engine.up(service(settings={"num.partitions": 6}))
    accepted = engine.up(service(settings={"num.partitions": 6}, on_shortage="accept"))
    assert finished(accepted) == turns(["node-1", "node-2", "node-3"])


def test_an_update_of_single_resources_stops_no_node_behind_the_guards_back(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service())
    rehearsal.forget()
    changed = service(settings={"num.partitions": 6})
    urns = {name: found["urn"] for name, found in engine.resources().items()}
    machine, order = urns["kafka-node-1"], urns["kafka-rolling-order"]

    with pytest.raises(EngineError, match="name the RollingOrder as well"):
        engine.up(changed, target=[machine], target_dependents=True)
    assert rehearsal.journal == []
    assert engine.resources()["kafka-node-1"]["outputs"]["instanceState"] == "running"

    engine.up(changed, target=[machine, order], target_dependents=True)
    assert rehearsal.journal[:3] == ["order 1 2 3", "stop node-1", "wait node-1"]

    again = engine.up(changed, replace=[machine])
    assert finished(again) == turns(["node-1"]), "any node can be made anew"


def test_a_service_that_is_removed_is_not_waited_for(engine: Engine, rehearsal: Rehearsal) -> None:
    engine.up(service())
    rehearsal.forget()
    engine.up(lambda: None)
    assert rehearsal.journal == []


def test_renewed_certificates_reach_the_nodes_one_after_the_other(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    certificates = {f"kafka-{name}-certificate" for name in (*MACHINES, "admin")}
    first = engine.up(service())
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
    assert done.outputs["ca_certificate"].count("BEGIN CERTIFICATE") == 2
    assert done.outputs["connection"] == first.outputs["connection"], "no topic changes"
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


def test_an_upgrade_is_finalised_when_every_node_runs_it_and_can_not_be_gone_back_on(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    older, newer = service(version="4.1.2-0.47"), service(version="4.2.1-0.47")
    engine.up(older)
    rehearsal.forget()

    rehearsal.forbid_stop("node-3", "not yet")
    with pytest.raises(EngineError, match="not yet"):
        engine.up(newer)
    assert "Upgrade from 4.1.2-0.47 to 4.2.1-0.47" in engine.preview(newer).text
    assert set(engine.preview(older).changed) >= {"replace"}, "the way back is open"

    rehearsal.allow_stop("node-3")
    engine.up(newer)
    assert rehearsal.journal[-3:] == ["stop node-3", "wait node-3", "finalise 4.2.1-0.47"]
    with pytest.raises(EngineError, match=r"metadata\.version is finalised"):
        engine.preview(older)


def without_a_way_to_start(node: str) -> Program:
    """A changed service of which one machine can't be created: its profile does not exist."""

    def spoil(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.name != f"kafka-{node}":
            return None
        return pulumi.ResourceTransformResult(
            {**args.props, "iamInstanceProfile": "missing"}, args.opts
        )

    def program() -> None:
        options = pulumi.ResourceOptions(transforms=[spoil])
        declare("kafka", options, settings={"num.partitions": 6})

    return program


@pytest.mark.parametrize("settings", [{}, {"num.partitions": 6}], ids=["going back", "correcting"])
def test_a_machine_that_could_not_be_created_is_made_by_the_next_run(
    engine: Engine, rehearsal: Rehearsal, settings: dict[str, object]
) -> None:
    engine.up(service())
    rehearsal.order(1, 2, 3)
    with pytest.raises(EngineError, match="missing"):
        engine.up(without_a_way_to_start("node-2"))
    rehearsal.forget()
    rehearsal.order(2, 1, 3)

    wanted = service(settings=settings)
    engine.up(wanted)
    assert engine.preview(wanted).changed == {}
    waits = [line for line in rehearsal.journal if line.startswith("wait ")]
    assert waits[0] == "wait node-2", "and nobody before it"
    assert engine.resources()["kafka-node-2"]["outputs"]["instanceState"] == "running"
    assert engine.refresh().changed == {}

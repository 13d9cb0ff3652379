"""One node at a time: the promise that a running service keeps running, seen from the engine."""

from tests.engine.aws.rehearsal import Rehearsal, service, steps, touched
from tests.engine.real_engine import Engine


def test_a_changed_setting_replaces_one_machine_after_the_other(
    engine: Engine, rehearsal: Rehearsal
) -> None:
    engine.up(service())
    assert rehearsal.waited_for == ["node-3"], "two alone are no cluster, so only the last waits"
    rehearsal.forget()

    changed = service(settings={"num.partitions": 6})
    planned = engine.preview(changed)
    done = engine.up(changed, parallel=64)

    machines = ("node-1", "node-2", "node-3")
    parts = {f"kafka-{node}{part}" for node in machines for part in ("", "-attachment", "-ready")}
    assert touched(planned) == touched(done) == parts, "no address, volume or credential"
    finished = [
        (operation, name)
        for phase, operation, name in steps(done)
        if phase == "end" and operation in ("delete-replaced", "create-replacement", "update")
        if name != "kafka"
    ]
    assert finished == [
        step
        for node in machines
        for step in (
            ("delete-replaced", f"kafka-{node}-attachment"),
            ("delete-replaced", f"kafka-{node}"),
            ("create-replacement", f"kafka-{node}"),
            ("create-replacement", f"kafka-{node}-attachment"),
            ("update", f"kafka-{node}-ready"),
        )
    ]
    assert rehearsal.waited_for == list(machines)

    assert engine.preview(changed).changed == {}
    assert engine.refresh().changed == {}

    # AWS could change a machine's type in place, by a stop that no gate would notice.
    larger = engine.preview(service(settings={"num.partitions": 6}, instance_type="t3.large"))
    assert touched(larger) == parts
    assert ("begin", "create-replacement", "kafka-node-1") in steps(larger)


def test_added_brokers_leave_the_others_alone(engine: Engine, rehearsal: Rehearsal) -> None:
    engine.up(service(plan="large"))
    assert rehearsal.waited_for == ["node-11", "node-12", "node-13"]

    more = service(plan="large", brokers_per_zone=2)
    grown = engine.up(more)

    added = ("node-14", "node-15", "node-16")
    assert [name for name in touched(grown) if not any(node in name for node in added)] == []

"""The ids of a service: drawn once, kept for life."""

import base64

import pytest

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.service_identity import (
    ServiceIdentity,
    ServiceIdentityInputs,
    ServiceIdentityOutputs,
    kafka_uuid,
)

IDENTITY = ServiceIdentity()
CONTEXT = Context(name="orders", urn="")
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
ORDERS = ServiceIdentityInputs(
    name="orders",
    cluster_type="inkless",
    topology="combined",
    zones=ZONES,
    controller_ids=[1, 2, 3],
)


def test_ids_are_sixteen_bytes_in_kafkas_own_spelling() -> None:
    for drawn in {kafka_uuid() for _ in range(500)}:
        assert len(drawn) == 22
        assert len(base64.urlsafe_b64decode(drawn + "==")) == 16


def test_no_id_starts_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    class Draw:
        def __init__(self, first: int) -> None:
            self.bytes = bytes([first] + [0] * 15)

    draws = iter([Draw(0xF8), Draw(0xF8), Draw(0x00)])
    monkeypatch.setattr("uuid.uuid4", lambda: next(draws))
    assert base64.urlsafe_b64encode(Draw(0xF8).bytes).startswith(b"-")
    assert kafka_uuid() == "A" * 22


def test_the_resource_is_known_by_its_cluster_id() -> None:
    created = IDENTITY.create(ORDERS, CONTEXT)
    assert created.id == created.outputs.cluster_id
    assert set(created.outputs.directory_ids) == {"1", "2", "3"}
    assert len({created.id, *created.outputs.directory_ids.values()}) == 4


def test_a_new_controller_gets_an_id_and_the_others_keep_theirs() -> None:
    before = IDENTITY.create(ORDERS, CONTEXT).outputs
    grown = ORDERS.model_copy(update={"controller_ids": [1, 2, 3, 4]})
    after = IDENTITY.update(before.cluster_id, ORDERS, before, grown, CONTEXT)
    assert after.cluster_id == before.cluster_id
    assert after.directory_ids.items() > before.directory_ids.items()
    assert "4" in after.directory_ids


def test_a_preview_knows_the_ids_where_the_controllers_stay() -> None:
    before = IDENTITY.create(ORDERS, CONTEXT).outputs
    renamed = IDENTITY.preview({"name": "x", "controller_ids": [3, 2, 1]}, before)
    grown = IDENTITY.preview({"controller_ids": [1, 2, 3, 4]}, before)
    assert renamed == {
        "cluster_id": before.cluster_id,
        "directory_ids": before.directory_ids,
    }
    assert grown == {"cluster_id": before.cluster_id}


@pytest.mark.parametrize("change", [("inkless", "classic"), ("classic", "inkless")])
def test_a_changed_cluster_type_is_refused_with_the_way_out(change: tuple[str, str]) -> None:
    old, new = change
    (problem,) = IDENTITY.check({"cluster_type": new}, {"cluster_type": old})
    assert problem.path == "cluster_type"
    assert problem.value == new
    assert "fixed at creation" in problem.rule
    assert f'set it back to "{old}"' in problem.remedy


@pytest.mark.parametrize(
    ("argument", "old", "new", "way_out"),
    [
        ("topology", "combined", "dedicated", 'set topology="combined"'),
        ("topology", "dedicated", "combined", 'set topology="dedicated"'),
        ("zones", ZONES, ZONES[::-1], "set them back"),
        ("zones", ZONES, [*ZONES[:2], "eu-west-1d"], "a new service in the other zones"),
    ],
)
def test_nodes_can_change_neither_what_they_are_nor_where(
    argument: str, old: object, new: object, way_out: str
) -> None:
    (problem,) = IDENTITY.check({argument: new}, {argument: old})
    assert (problem.path, problem.value) == (argument, new)
    assert "fixed at creation" in problem.rule
    assert way_out in problem.remedy
    assert list(IDENTITY.check({argument: old}, {argument: old})) == []
    assert list(IDENTITY.check({}, {argument: old})) == []


def test_a_cluster_type_that_stays_or_is_not_known_yet_is_accepted() -> None:
    assert list(IDENTITY.check({"cluster_type": "inkless"}, {"cluster_type": "inkless"})) == []
    assert list(IDENTITY.check({"cluster_type": "inkless"}, None)) == []
    assert list(IDENTITY.check({}, {"cluster_type": "inkless"})) == []


@pytest.mark.parametrize(
    ("controllers", "path"),
    [([], "controller_ids"), ([1, 1], "controller_ids[1]"), ([-1], "controller_ids[0]")],
)
def test_controllers_that_cannot_be_are_refused(controllers: list[int], path: str) -> None:
    assert [p.path for p in IDENTITY.check({"controller_ids": controllers}, None)] == [path]


def test_an_import_takes_all_ids_from_what_the_nodes_have() -> None:
    created = IDENTITY.create(ORDERS, CONTEXT)
    directories = [f"{node}={drawn}" for node, drawn in created.outputs.directory_ids.items()]
    asked = ",".join([created.id, "orders", "inkless", "combined", "+".join(ZONES), *directories])
    found = IDENTITY.read(asked, None, None, CONTEXT)
    assert found == (ORDERS, created.outputs)
    assert IDENTITY.canonical_id(asked, created.outputs) == created.id


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "orders",
        "A" * 22,
        f"{'A' * 22},orders,inkless,combined,a+b+c",
        f"{'A' * 22},orders,inkless,combined,a+b+c,1",
        f"{'A' * 22},orders,inkless,combined,a+b+c,one={'A' * 22}",
        f"{'A' * 21},orders,inkless,combined,a+b+c,1={'A' * 22}",
        f"short,orders,inkless,combined,a+b+c,1={'A' * 22}",
    ],
)
def test_an_import_that_lacks_an_id_is_told_what_is_needed(asked: str) -> None:
    with pytest.raises(InklessError, match="INKLESS_INITIAL_CONTROLLERS"):
        IDENTITY.read(asked, None, None, CONTEXT)


def test_a_refresh_keeps_what_state_says() -> None:
    outputs = ServiceIdentityOutputs(cluster_id="c", directory_ids={"1": "d"})
    assert IDENTITY.read("c", ORDERS, outputs, CONTEXT) == (ORDERS, outputs)

"""The service identity under the real engine: created, kept, extended, refused, imported."""

from collections.abc import Callable

import pulumi
import pytest

from inkless_pulumi.service_identity import ServiceIdentity
from tests.engine.real_engine import Engine, EngineError

ID = "A" * 22


def service(
    cluster_type: str = "inkless",
    controllers: tuple[int, ...] = (1, 2, 3),
    options: pulumi.ResourceOptions | None = None,
) -> Callable[[], None]:
    def program() -> None:
        identity = ServiceIdentity(
            "orders",
            {
                "name": "orders",
                "cluster_type": cluster_type,
                "topology": "dedicated",
                "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
                "controller_ids": list(controllers),
            },
            options,
        )
        pulumi.export("cluster_id", identity.cluster_id)
        pulumi.export("directory_ids", identity.directory_ids)

    return program


def test_a_service_keeps_its_ids_for_life(engine: Engine) -> None:
    created = engine.up(service())
    assert created.changed == {"create": 2}
    assert engine.preview(service()).changed == {}
    assert engine.refresh().changed == {}

    grown = service(controllers=(1, 2, 3, 4))
    (step,) = engine.preview(grown).steps("orders")
    assert list(step.detailed_diff) == ["controllerIds[3]"]
    extended = engine.up(grown)
    assert extended.changed == {"update": 1}
    assert extended.outputs["cluster_id"] == created.outputs["cluster_id"]
    assert extended.outputs["directory_ids"].items() > created.outputs["directory_ids"].items()


def test_a_changed_cluster_type_is_refused_at_preview(engine: Engine) -> None:
    engine.up(service())
    with pytest.raises(EngineError) as refused:
        engine.preview(service("classic"))
    text = str(refused.value)
    assert 'cluster_type = "classic": the type of a service is fixed at creation' in text
    assert 'set it back to "inkless"' in text
    assert "Traceback" not in text


def test_a_service_is_imported_with_all_its_ids(engine: Engine) -> None:
    asked = f"{ID},orders,inkless,dedicated,eu-west-1a+eu-west-1b+eu-west-1c,1={ID},2={ID},3={ID}"
    program = service(options=pulumi.ResourceOptions(import_=asked))
    imported = engine.up(program)
    assert imported.changed["import"] == 1
    assert imported.outputs["cluster_id"] == ID
    assert engine.resources()["orders"]["id"] == ID
    assert engine.preview(service()).changed == {}

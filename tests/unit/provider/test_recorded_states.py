"""States that were recorded by this version and earlier ones are still understood."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckRequest, DiffRequest, UpdateRequest

from inkless_pulumi.provider.wire import wire
from tests.unit.provider.protocol import answer, silent_provider, urn

STATES = sorted((Path(__file__).parent / "states").glob("*.json"))
RECORDED = [
    pytest.param(recorded, id=f"{path.stem}-{name}")
    for path in STATES
    for name, recorded in json.loads(path.read_text()).items()
]


def state(recorded: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """What the server hands on: the recorded outputs, and the inputs not repeated among them."""
    kept = silent_provider().unrepeated(urn(recorded["type"]))
    inputs = properties(recorded["inputs"])
    return properties(recorded["outputs"]) | {name: inputs[name] for name in kept}


def properties(recorded: Mapping[str, object]) -> dict[str, PropertyValue]:
    return {name: wire(value) for name, value in recorded.items() if not name.startswith("__")}


@pytest.mark.parametrize("recorded", RECORDED)
def test_an_unchanged_program_has_nothing_to_change(recorded: dict[str, Any]) -> None:
    provider, resource = silent_provider(), urn(recorded["type"])
    inputs, outputs = properties(recorded["inputs"]), state(recorded)
    checked = answer(provider.check(CheckRequest(resource, inputs, inputs, b"")))
    assert checked.failures == []
    told = answer(provider.diff(DiffRequest(resource, "it", outputs, checked.inputs or {}, [])))
    assert told.diffs == []
    request = UpdateRequest(resource, "it", outputs, checked.inputs or {}, 0, [], True)
    previewed = answer(provider.update(request)).properties
    assert previewed is not None
    assert set(previewed) >= set(inputs) - provider.unrepeated(resource)


def test_there_is_a_state_of_every_kind_of_resource() -> None:
    kinds = {kind.rpartition(":")[2] for kind in _types()}
    assert kinds >= {"ClassicTopic", "TopicSet", "User", "AccessRule", "Quota"}


def _types() -> set[str]:
    return {entry["type"] for path in STATES for entry in json.loads(path.read_text()).values()}


def test_another_image_and_more_brokers_change_no_topic() -> None:
    [recorded] = [
        entry
        for path in STATES
        for entry in json.loads(path.read_text()).values()
        if entry["type"] == "inkless:index:TopicSet"
    ]
    inputs = {**recorded["inputs"]}
    inputs["connection"] = {**inputs["connection"], "image": "newer", "brokerCount": 6}
    outputs = state(recorded)
    request = DiffRequest(urn(recorded["type"]), "it", outputs, properties(inputs), [])
    assert answer(silent_provider().diff(request)).diffs == []
    inputs["connection"]["bootstrapServers"] = "elsewhere:9094"
    request = DiffRequest(urn(recorded["type"]), "it", outputs, properties(inputs), [])
    assert answer(silent_provider().diff(request)).diffs == ["connection"]

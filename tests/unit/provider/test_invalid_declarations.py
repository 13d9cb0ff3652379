"""Wrong declarations, as they arrive from a program in any language, and what a user is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.provider.experimental.provider import CheckRequest

from inkless_pulumi.provider.wire import wire
from tests.unit.provider.memory_cluster import CONNECTION
from tests.unit.provider.protocol import answer, silent_provider, urn

DECLARATIONS = yaml.safe_load(
    (Path(__file__).parent / "declarations" / "invalid.yaml").read_text(encoding="utf-8")
)
ON_THE_WIRE = CONNECTION.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize(
    "declaration",
    [
        pytest.param(wrong, id=f"{number}-{wrong['resource']}")
        for number, wrong in enumerate(DECLARATIONS)
    ],
)
def test_a_wrong_declaration_is_refused_with_a_way_out(declaration: dict[str, Any]) -> None:
    resource = urn(f"inkless:index:{declaration['resource']}")
    inputs = {**declaration["inputs"], "connection": ON_THE_WIRE}
    news = {name: wire(value) for name, value in inputs.items()}
    checked = answer(silent_provider().check(CheckRequest(resource, {}, news, b"")))
    assert [failure.reason for failure in checked.failures or []] == declaration["problems"]
    assert declaration["problems"]


def test_there_are_a_hundred_of_them() -> None:
    assert len(DECLARATIONS) >= 100

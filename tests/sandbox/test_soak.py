"""A short soak: what `make soak` does at length."""

from collections.abc import Iterator

import pytest

from proofs import soak
from proofs.changes import CHANGES
from proofs.load import read_back
from proofs.stage import Stage, stage

RECORDS = 20_000
SHORT = ("dynamic setting", "image that does not start", "renewed CA", "rotated password")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("soak") / "sandbox", print) as place:
        yield place


def test_no_acknowledged_record_is_lost_while_every_node_is_replaced(place: Stage) -> None:
    changes = [change for change in CHANGES if change.name in SHORT]
    result = soak.run(place, changes, RECORDS, print, rate=300, baseline_seconds=1)
    assert result.broken_claims == [], "of what the reports of the previews say"
    assert result.passed, result.line
    assert result.reading.duplicated == 0
    assert [phase.change for phase in result.phases] == ["no change", *SHORT]
    assert all(phase.gaps.acked > 0 for phase in result.phases), "the load went on meanwhile"

    # What the load used all along was replaced meanwhile.
    assert place.client().password != result.load.client.password
    assert place.client().ca_certificate != result.load.client.ca_certificate

    # The books would show a loss: a record that was never sent is missed.
    topic, run = place.topics[0], result.load.run
    acked = result.load.acked_by_topic()[topic]
    assert read_back(place.client(), run, {topic: acked + b"\1"}).lost == 1
    # And a record that is there twice.
    result.load.send_again(topic, 0)
    assert read_back(place.client(), run, {topic: acked}).duplicated == 1

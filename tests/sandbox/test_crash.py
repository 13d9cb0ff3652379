"""A few kills: what `make crash` does at length."""

from itertools import islice
from pathlib import Path

from proofs.crash import OPERATIONS, kills, run
from proofs.stage import stage

KILLS = 10
SEED = 14


def test_a_killed_run_is_taken_up_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    chosen = list(islice(kills(SEED), KILLS))
    assert [kill.operation for kill in chosen][: len(OPERATIONS)] == list(OPERATIONS)
    with stage(tmp_path / "sandbox", print) as place:
        assert run(place, iter(chosen), print) == []

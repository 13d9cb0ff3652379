"""A few kills: what `make crash` does at length."""

from itertools import islice
from pathlib import Path

from proofs.crash import Kill, kills, run
from proofs.stage import stage

KILLS = 3
SEED = 4


def test_a_killed_run_is_taken_up_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    chosen = list(islice(kills(SEED), KILLS))
    assert [kill.operation for kill in chosen] == ["create", "roll", "destroy"]
    with stage(tmp_path / "sandbox", print) as place:
        assert run(place, iter(chosen), print) == []


def test_a_seed_gives_the_same_kills_again() -> None:
    def first(seed: int) -> list[Kill]:
        return list(islice(kills(seed), 20))

    assert first(1) == first(1)
    assert first(1) != first(2)

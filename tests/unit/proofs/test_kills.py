"""Which processes are killed, and when, follows from a seed."""

from itertools import islice

from proofs.crash import OPERATIONS, Kill, kills

MANY = 500


def first(seed: int, count: int = 20) -> list[Kill]:
    return list(islice(kills(seed), count))


def test_a_seed_gives_the_same_kills_again() -> None:
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_more_kills_begin_as_fewer_do() -> None:
    assert first(1, MANY)[:10] == first(1, 10)


def test_the_operations_take_turns() -> None:
    operations = [kill.operation for kill in first(3, 2 * len(OPERATIONS))]
    assert operations == [*OPERATIONS, *OPERATIONS]


def test_each_operation_finds_what_it_needs() -> None:
    there = False
    for operation in (*OPERATIONS, *OPERATIONS):
        assert operation.creates is not there
        there = operation.arguments is not None
    assert {operation.name for operation in OPERATIONS} >= {
        "create",
        "roll",
        "scale out",
        "scale in",
        "destroy",
    }


def test_every_target_is_hit_and_every_moment_lies_within_the_operation() -> None:
    chosen = first(1, MANY)
    assert {kill.target for kill in chosen} == {
        "engine",
        "inkless plugin",
        "cloud plugin",
        "machine",
        "database",
        "registry",
        "aws",
        "sandbox",
    }
    assert all(0 <= kill.after_lines < kill.operation.lines for kill in chosen)
    assert all(0 <= kill.delay <= 4 for kill in chosen)

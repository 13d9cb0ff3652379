"""What is throttled while replicas move, who set it, and what is left of it after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkless_pulumi.core.errors import NotReady
from inkless_pulumi.core.reassignment_throttle import bytes_per_second, throttle_problems
from inkless_pulumi.core.topics import THROTTLED_FOLLOWERS, THROTTLED_LEADERS
from inkless_pulumi.provider import moving
from inkless_pulumi.provider.cluster_view import ClusterView, look_at
from inkless_pulumi.provider.kafka.model import BrokerState
from inkless_pulumi.provider.kafka.throttled_replicas import ours, with_ours, without_ours
from inkless_pulumi.provider.move_progress import MoveProgress, bytes_to_copy, readable
from inkless_pulumi.provider.resource import OperationCancelled
from inkless_pulumi.provider.throttle import RATES, Move, Throttle, throttled_by_topic
from tests.unit.provider.memory_cluster import MemoryCluster, Screen

ORDERS = ("orders", 0)
LEADERS, FOLLOWERS = THROTTLED_LEADERS, THROTTLED_FOLLOWERS
AT_2_MIB = dict.fromkeys(RATES, str(2 * 1024 * 1024))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_FIRST_PAUSE", 0)


@pytest.fixture
def cluster() -> MemoryCluster:
    """Three brokers; a partition is on the first two."""
    cluster = MemoryCluster()
    cluster.nodes.state = tuple(BrokerState(n, f"10.42.0.{n}:9094", False) for n in (1, 2, 3))
    cluster.nodes.placed = {ORDERS: (1, 2)}
    return cluster


def to_the_third(seen: ClusterView) -> dict[tuple[str, int], tuple[int, ...]]:
    return {ORDERS: (3, 2)} if (1, 2) in {one.replicas for one in seen.partitions} else {}


def move(cluster: MemoryCluster, screen: Screen, throttle: str = "2MiB") -> None:
    moving.move_replicas(
        cluster, to_the_third, "moved", throttle=throttle, context=screen.context()
    )


def interrupt(cluster: MemoryCluster) -> None:
    """Begin a move and leave it at that."""
    screen = Screen()
    screen.cancelled.set()
    with pytest.raises(OperationCancelled):
        move(cluster, screen)


# The rate as it is declared


@pytest.mark.parametrize(
    ("text", "rate"),
    [("50MiB", 50 * 1024**2), ("1.5 GiB/s", 3 * 512 * 1024**2), ("80MB", 80_000_000)],
)
def test_a_rate_is_a_size_a_second(text: str, rate: int) -> None:
    assert throttle_problems(text) == []
    assert bytes_per_second(text) == rate


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fast", 'reassignment_throttle = "fast": is not a size, which is meant for each second'),
        ("50Mbit", 'reassignment_throttle = "50Mbit": is not a size'),
        ("-1", 'reassignment_throttle = "-1": is not a size'),
        ("50", 'reassignment_throttle = "50": is less than 65536 bytes a second'),
    ],
)
def test_what_is_no_rate_is_refused(text: str, problem: str) -> None:
    [found] = throttle_problems(text)
    assert str(found).startswith(problem)
    assert str(found).endswith('like "50MiB"')


# The replicas that it holds for


def test_present_replicas_are_throttled_as_leaders_and_added_ones_as_followers() -> None:
    moves = {ORDERS: Move((1, 2, 3), (4, 2, 3)), ("orders", 1): Move((2, 3), (2, 5))}
    assert throttled_by_topic(moves) == {
        "orders": {
            LEADERS: [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)],
            FOLLOWERS: [(0, 4), (1, 5)],
        }
    }


def test_nothing_is_throttled_where_nothing_is_copied() -> None:
    fewer, diskless = Move((1, 2, 3), (1, 2)), Move((1,), (2,), copies=False)
    assert throttled_by_topic({ORDERS: fewer, ("events", 0): diskless}) == {}


REPLICAS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 99)), max_size=5)


@given(theirs=REPLICAS, mine=REPLICAS)
def test_a_list_tells_ours_from_what_was_there(
    theirs: list[tuple[int, int]], mine: list[tuple[int, int]]
) -> None:
    before = ",".join(f"{partition}:{broker}" for partition, broker in theirs)
    text = with_ours(before, mine)
    assert list(ours(text)) == sorted(set(mine))
    assert with_ours(text, ()) == before
    assert with_ours(text, mine) == text


def test_a_list_of_every_replica_stays_as_it_is() -> None:
    assert with_ours("*", [(0, 1)]) == "*"


def test_what_is_ours_is_no_setting_of_a_topic() -> None:
    own = {"retention.ms": "1", LEADERS: "7:1"}
    marked = {"retention.ms": "1", LEADERS: with_ours("7:1", [(0, 1)])}
    marked[FOLLOWERS] = with_ours("", [(0, 3)])
    assert without_ours(marked) == own
    assert without_ours(own) == own


# While replicas move, and after


def test_a_move_is_throttled_when_it_begins_and_nothing_is_left_when_it_ends(
    cluster: MemoryCluster,
) -> None:
    before = cluster.settings.describe()
    cluster.partitions.lists = {"orders": {LEADERS: "7:1"}, "other": {FOLLOWERS: "*"}}
    move(cluster, Screen())
    at_last = cluster.partitions.throttled_at_last["orders"]
    assert at_last[LEADERS].startswith("7:1,")
    assert ours(at_last[LEADERS]) == ((0, 1), (0, 2))
    assert ours(at_last[FOLLOWERS]) == ((0, 3),)
    assert cluster.settings.alterations == [AT_2_MIB, dict.fromkeys(RATES)]
    assert cluster.settings.describe() == before
    assert cluster.partitions.throttled() == {"orders": {LEADERS: "7:1"}, "other": {FOLLOWERS: "*"}}


def test_an_interrupted_move_stays_throttled_and_goes_on_at_another_rate(
    cluster: MemoryCluster,
) -> None:
    interrupt(cluster)
    assert cluster.settings.describe().items() >= AT_2_MIB.items()
    move(cluster, Screen(), "1GiB")
    assert cluster.settings.alterations[1:] == [
        dict.fromkeys(RATES, str(1024**3)),
        dict.fromkeys(RATES),
    ]
    assert cluster.partitions.throttled() == {}


def test_a_move_that_ended_by_itself_is_cleaned_up_after(cluster: MemoryCluster) -> None:
    interrupt(cluster)
    while cluster.partitions.moving():
        pass
    screen = Screen()
    move(cluster, screen)
    assert screen.lines == [], "there is nothing left to move"
    assert cluster.settings.alterations == [AT_2_MIB, dict.fromkeys(RATES)]
    assert cluster.partitions.throttled() == {}


def test_a_rate_that_is_changed_by_hand_meanwhile_is_left_so(cluster: MemoryCluster) -> None:
    cluster.nodes.placed["orders", 1] = (1, 2)
    throttle = Throttle(cluster, "2MiB", Screen().context())
    throttle.reassign({ORDERS: Move((1, 2), (3, 2))})
    raised = dict.fromkeys(RATES, "999999999")
    cluster.settings.alter(raised)
    throttle.reassign({("orders", 1): Move((1, 2), (3, 2))})
    assert cluster.settings.describe().items() >= raised.items()


def test_a_rate_of_somebody_else_s_is_not_taken_away_silently(cluster: MemoryCluster) -> None:
    cluster.settings.all[RATES[0]] = "1000"
    screen = Screen()
    moving.move_replicas(cluster, lambda _: {}, "x", throttle=None, context=screen.context())
    assert cluster.settings.alterations == [], "nothing moved"
    move(cluster, screen)
    [warning] = screen.warnings
    assert warning.startswith(f"{RATES[0]}=1000 was set for all brokers.")


def test_what_somebody_else_moves_is_not_throttled(cluster: MemoryCluster) -> None:
    cluster.partitions.on_their_way = {("theirs", 0)}
    moving.move_replicas(cluster, lambda _: {}, "x", throttle="1GiB", context=Screen().context())
    assert cluster.settings.alterations == []


def test_one_operation_leaves_what_another_still_moves(cluster: MemoryCluster) -> None:
    cluster.partitions.stuck = True
    interrupt(cluster)
    kept = cluster.partitions.throttled()
    Throttle(cluster, None, Screen().context()).lift()
    assert cluster.partitions.throttled() == kept
    assert cluster.settings.alterations == [AT_2_MIB]


# How far it is


def test_what_is_to_copy_is_told_in_bytes(cluster: MemoryCluster) -> None:
    cluster.partitions.stuck = True
    cluster.partitions.adding = {ORDERS: (3,)}
    cluster.partitions.bytes = {(1, ORDERS): 3 * 1024**2, (3, ORDERS): 1024**2}
    interrupt(cluster)
    cluster.nodes.placed[ORDERS] = (1, 2, 3)
    moving_now = cluster.partitions.moving()
    assert bytes_to_copy(cluster, moving_now, look_at(cluster)) == 2 * 1024**2
    cluster.partitions.silent = {3}
    assert bytes_to_copy(cluster, moving_now, look_at(cluster)) is None
    cluster.partitions.silent = set()
    cluster.nodes.state = cluster.nodes.state[:2]
    assert bytes_to_copy(cluster, moving_now, look_at(cluster)) is None, "it is not there"


def test_bytes_that_arrive_are_progress_and_others_are_not() -> None:
    now = [0.0]
    progress = MoveProgress(lambda: now[0])

    def idle(at: float, to_copy: int | None) -> float:
        now[0] = at
        return progress.idle_seconds(1, [ORDERS], to_copy)

    assert idle(0, 100) == 0
    assert idle(500, 90) == 0, "one partition may take hours"
    assert idle(560, 95) == 60, "more is to be copied than before"
    assert idle(600, None) == 100, "a broker that does not tell is no progress"
    assert idle(610, 80) == 0


def test_sizes_read_well() -> None:
    assert [readable(size) for size in (1, 1536, 5 * 1024**3)] == ["1 B", "1.5 KiB", "5.0 GiB"]


def test_a_move_that_stands_still_says_that_the_rate_can_be_raised(
    cluster: MemoryCluster,
) -> None:
    cluster.partitions.stuck = True
    screen, now = Screen(), iter(range(0, 10_000, 40))
    with pytest.raises(NotReady, match="No progress for 600 s"):
        moving.move_replicas(
            cluster,
            to_the_third,
            "moved",
            throttle="2MiB",
            context=screen.context(),
            clock=lambda: float(next(now)),
        )
    told = [line for line in screen.lines if "raise reassignment_throttle" in line]
    assert "producers write as fast as 2MiB a second" in told[0]
    assert "raise" not in screen.lines[0]

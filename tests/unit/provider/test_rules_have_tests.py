"""Each rule about nodes is changed, and a test must notice: a rule none notices has no test."""

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from inkless_pulumi.provider import availability, cluster_view, readiness, rolling_order
from tests.unit.provider import test_availability, test_readiness, test_rolling_order

AVAILABILITY: dict[str, tuple[str, str]] = {
    "a node that does not serve has to wait too": ("if not serves(seen, node):", "if False:"),
    "half of the votes are enough": ("2 * others <= len(", "2 * others < len("),
    "the node's own vote is counted": ("(quorum) - {node.node_id}", "(quorum)"),
    "no active controller is needed": ("*_quorum(seen.quorum, node),", ""),
    "an ill cluster has a node less": ("< min(minimum, len(", "< 0 * min(minimum, len("),
    "a minimum above the replicas is an illness": (
        "min(minimum, len(partition.replicas))",
        "minimum",
    ),
    "one replica less is in sync than is": ("- 1 < max(1, minimum)", "< max(1, minimum)"),
    "the last replica may go": ("- 1 < max(1, minimum)", "- 1 < minimum - 1"),
    "partitions of other nodes count": ("node.node_id not in partition.in_sync or ", ""),
    "diskless topics count": (" or minimum == 0", ""),
    "recovering partitions are refused": (
        "(partition.in_sync) >= len(",
        "(partition.in_sync) >= 0 * len(",
    ),
    "partitions without a spare are waited for": (
        "(partition.in_sync) >= len(",
        "(partition.in_sync) > len(",
    ),
    "refuse does not refuse": ('if topics and shortage == "refuse":', "if False:"),
    "wait does not wait": ('if topics and shortage == "wait":', "if False:"),
}
WHO_SERVES: dict[str, tuple[str, str]] = {
    "a fenced broker": (" and not b.fenced for b", " for b"),
    "a voter of long ago": ("<= LONGEST_LAG_MS", ">= 0"),
    "a broker that is not registered": (
        "is_controller:\n        return False",
        "is_controller:\n        return True",
    ),
}
READINESS: dict[str, tuple[str, str]] = {
    "it may be silent": ("if node.is_broker and seen.own_listener is not None:", "if False:"),
    "the cluster need not be seen": ("if seen.cluster is not None:", "if False:"),
    "it may be fenced": ("elif registered.fenced:", "elif False:"),
    "it may be another machine": ("elif registered.address != node.address:", "elif False:"),
    "it need not be registered": (
        'yield f"{node.name} is not registered',
        'f"{node.name} is not registered',
    ),
    "it may run anything": ("if told.get(name, value) != value:", "if False:"),
    "voters of both roles need not be brokers": ("*_fellows(seen.brokers, seen.quorum, node),", ""),
    "it need not follow the quorum": ("if not any(follower", "if False and not any(follower"),
    "it may have caught up before": ("if replica.last_caught_up < since:", "if False:"),
    "voters may hang": ("elif lag > LONGEST_LAG_MS:", "elif False:"),
    "its replicas may be behind": ("in p.replicas and node.node_id not in p.in_sync", "in ()"),
    "partitions may lack a leader": ("if p.leader is None)", "if False)"),
    "replicas may be offline": ("if p.offline)", "if False)"),
    "partitions may be below their minimum": (
        "if len(p.in_sync) < min_in_sync.get(",
        "if 9 < min_in_sync.get(",
    ),
}
ORDER: dict[str, tuple[str, str]] = {
    "new nodes are not last": ("node.node_id not in there,", "False,"),
    "nodes that do not serve are not first": ("serves(seen, node),", "True,"),
    "brokers come first": ("node.is_controller == downgrade,", "node.is_controller,"),
    "the active controller is not last": ("node.node_id == active,", "False,"),
}
RULES = {
    availability: AVAILABILITY,
    cluster_view: WHO_SERVES,
    readiness: READINESS,
    rolling_order: ORDER,
}
MUTATIONS = {
    name: (module, *change) for module, changes in RULES.items() for name, change in changes.items()
}


def cases(function: Callable[..., None]) -> Iterator[tuple[object, ...]]:
    """The arguments that a test is run with: none, or each set of its parameters."""
    sets: list[tuple[object, ...]] = [()]
    for mark in reversed(getattr(function, "pytestmark", [])):
        if mark.name == "parametrize":
            sets = [(*known, *values(more)) for more in [*mark.args[1]] for known in sets]
    yield from sets


def values(given: object) -> tuple[object, ...]:
    return given if isinstance(given, tuple) else (given,)


def noticed(tests: ModuleType) -> bool:
    """Whether any test of a module fails; one that wants a fixture is left out."""
    for name, function in vars(tests).items():
        if not name.startswith("test_") or hasattr(function, "hypothesis"):
            continue
        for arguments in cases(function):
            if len(arguments) != len(inspect.signature(function).parameters):
                continue
            try:
                function(*arguments)
            except Exception:
                return True
    return False


def mutant(module: ModuleType, before: str, after: str) -> ModuleType:
    source = inspect.getsource(module)
    assert before in source, f"{module.__name__} has no {before!r} any more"
    changed = ModuleType(module.__name__)
    changed.__file__ = module.__file__
    code = compile(source.replace(before, after), str(module.__file__), "exec")
    exec(code, vars(changed))  # noqa: S102  our own module, with one rule changed
    return changed


TESTS = (test_availability, test_readiness, test_rolling_order)
USERS = (*TESTS, availability, rolling_order)


def install(changed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests, and the rules that use others, use what the changed module has."""
    own = {
        name: value
        for name, value in vars(changed).items()
        if getattr(value, "__module__", "") == changed.__name__
    }
    for user in USERS:
        for name in own.keys() & vars(user).keys():
            if vars(user)[name].__module__ == changed.__name__:
                monkeypatch.setattr(user, name, own[name])


@pytest.mark.parametrize(("module", "before", "after"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_changed_rule_is_noticed(
    module: ModuleType, before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(mutant(module, before, after), monkeypatch)
    assert any(noticed(tests) for tests in TESTS)


@pytest.mark.parametrize("module", RULES)
def test_a_copy_without_a_change_is_not_noticed(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(mutant(module, "", ""), monkeypatch)
    assert not any(noticed(tests) for tests in TESTS)

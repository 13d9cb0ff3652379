"""Topic sets: one resource, many topics, each with an account of its own."""

import json
from dataclasses import replace

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckRequest

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.provider.kafka.model import Refusal
from inkless_pulumi.provider.resource import Incomplete, OperationCancelled
from inkless_pulumi.provider.topics.topic_set import (
    DeclaredTopicInputs,
    TopicSet,
    TopicSetInputs,
    TopicSetOutputs,
)
from inkless_pulumi.provider.wire import UNKNOWN, wire
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen
from tests.unit.provider.protocol import answer, silent_provider, urn

CLASSIC = DeclaredTopicInputs(kind="classic", partitions=6, settings={"retention.ms": "7d"})
DISKLESS = DeclaredTopicInputs(kind="diskless", partitions=3)
BOTH = {"orders": CLASSIC, "events": DISKLESS}


@pytest.fixture
def resource(cluster: MemoryCluster) -> TopicSet:
    return TopicSet(cluster.open)


def declared(topics: dict[str, DeclaredTopicInputs], **changes: object) -> TopicSetInputs:
    inputs = TopicSetInputs(topics=topics, connection=CONNECTION)
    return inputs.model_copy(update=changes)


def problems(resource: TopicSet, old: TopicSetInputs, new: TopicSetInputs) -> list[str]:
    known, recorded = dict(new), dict(old)
    found = [*resource.check(known, recorded), *resource.change_problems(known, recorded)]
    return [str(problem) for problem in found]


# Create, update, delete


def test_topics_of_both_kinds_are_made_with_one_request(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    made = resource.create(declared(BOTH), screen.context())
    assert made.outputs.topic_ids == {"events": "id-2", "orders": "id-1"}
    assert cluster.topics.creations == [["orders", "events"]]
    assert cluster.topics.all["orders"].settings == {"retention.ms": "604800000"}
    assert cluster.topics.all["events"].settings == {"diskless.enable": "true"}


def test_many_topics_are_made_in_batches_that_leave_the_controller_its_breath(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    many = {f"topic-{number}": DISKLESS for number in range(1200)}
    resource.create(declared(many), screen.context())
    assert [len(names) for names in cluster.topics.creations] == [500, 500, 200]
    assert "created 1000 of 1200 topics" in screen.lines


def test_each_topic_is_made_changed_or_deleted_as_it_differs(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared({**BOTH, "old": CLASSIC}, deletion_protection=False)
    made = resource.create(old, screen.context())
    longer = CLASSIC.model_copy(update={"settings": {"retention.ms": "14d"}, "partitions": 12})
    new = declared({"orders": longer, "events": DISKLESS, "new": CLASSIC})
    outputs = resource.update("it", old, made.outputs, new, screen.context())
    assert set(cluster.topics.all) == set(outputs.topic_ids) == {"orders", "events", "new"}
    assert cluster.topics.alterations == [{"orders": {"retention.ms": "1209600000"}}]
    assert cluster.topics.all["orders"].partitions == 12


def test_another_spelling_of_a_setting_sends_nothing(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared(BOTH)
    made = resource.create(old, screen.context())
    spelt = CLASSIC.model_copy(update={"settings": {"retention.ms": "168h"}})
    new = declared({**BOTH, "orders": spelt})
    resource.update("it", old, made.outputs, new, screen.context())
    assert cluster.topics.alterations == []


def test_a_set_with_protected_topics_is_not_deleted_at_all(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    free = CLASSIC.model_copy(update={"deletion_protection": False})
    inputs = declared({**BOTH, "free": free})
    made = resource.create(inputs, screen.context())
    with pytest.raises(ClusterError, match=r"2 topics are protected .*\(events, orders\)"):
        resource.delete("it", inputs, made.outputs, screen.context())
    assert len(cluster.topics.all) == 3


def test_an_update_deletes_no_protected_topic(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared(BOTH)
    made = resource.create(old, screen.context())
    new = declared({"events": DISKLESS}, deletion_protection=False)
    with pytest.raises(ClusterError, match="Topic orders is protected against deletion"):
        resource.update("it", old, made.outputs, new, screen.context())
    assert "orders" in cluster.topics.all


def test_a_set_without_protection_is_deleted_with_its_topics(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    inputs = declared(BOTH, deletion_protection=False)
    made = resource.create(inputs, screen.context())
    resource.delete("it", inputs, made.outputs, screen.context())
    assert cluster.topics.all == {}


# When things fail


def test_topics_that_fail_are_named_and_the_others_are_recorded(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.refused["orders"] = Refusal("POLICY_VIOLATION", "not on a Friday")
    with pytest.raises(Incomplete) as failed:
        resource.create(declared(BOTH), screen.context())
    assert str(failed.value) == (
        "1 of 2 topics failed; the others are done. The next update does only what is left:\n"
        "  - Topic orders could not be created. Kafka: POLICY_VIOLATION: not on a Friday"
    )
    assert failed.value.inputs == declared({"events": DISKLESS})
    assert failed.value.outputs == TopicSetOutputs(topic_ids={"events": "id-1"})


def test_the_next_update_does_only_what_is_left(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.refused["orders"] = Refusal("POLICY_VIOLATION", "not on a Friday")
    with pytest.raises(Incomplete) as failed:
        resource.create(declared(BOTH), screen.context())
    cluster.topics.refused.clear()
    left = failed.value
    assert isinstance(left.inputs, TopicSetInputs)
    resource.update("it", left.inputs, left.outputs, declared(BOTH), screen.context())
    assert cluster.topics.creations[1:] == [["orders"]]


def test_a_set_of_which_nothing_was_made_is_not_recorded(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.diskless = False
    with pytest.raises(ClusterError, match="registry/inkless@sha256:1234 does not support"):
        resource.create(declared({"events": DISKLESS}), screen.context())


def test_a_change_that_fails_leaves_its_property_as_it_was_recorded(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared({"a": CLASSIC, "b": CLASSIC})
    made = resource.create(old, screen.context())
    more = CLASSIC.model_copy(update={"partitions": 9, "settings": {"retention.ms": "1d"}})
    cluster.topics.refused["a"] = Refusal("INVALID_PARTITIONS", "no")
    with pytest.raises(Incomplete, match="Settings of topic a") as failed:
        resource.update("it", old, made.outputs, declared({"a": more, "b": more}), screen.context())
    assert failed.value.inputs == declared({"a": CLASSIC, "b": more})


def test_a_deletion_that_fails_is_still_to_be_done(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared({"a": CLASSIC, "b": CLASSIC, "c": CLASSIC}, deletion_protection=False)
    made = resource.create(old, screen.context())
    cluster.topics.refused["a"] = Refusal("TOPIC_DELETION_DISABLED", "no")
    new = declared({"c": CLASSIC}, deletion_protection=False)
    with pytest.raises(Incomplete) as failed:
        resource.update("it", old, made.outputs, new, screen.context())
    assert isinstance(failed.value.inputs, TopicSetInputs)
    assert set(failed.value.inputs.topics) == {"a", "c"}
    assert failed.value.outputs == TopicSetOutputs(topic_ids={"a": "id-1", "c": "id-3"})


def test_an_interruption_records_the_batches_that_were_done(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"topic-{number}": DISKLESS for number in range(1200)}
    create = cluster.topics.create

    def interrupting(topics: object) -> object:
        screen.cancelled.set()
        return create(topics)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster.topics, "create", interrupting)
    with pytest.raises(Incomplete) as interrupted:
        resource.create(declared(many), screen.context())
    assert isinstance(interrupted.value.__cause__, OperationCancelled)
    assert isinstance(interrupted.value.inputs, TopicSetInputs)
    assert len(interrupted.value.inputs.topics) == 500


def test_a_lost_connection_records_what_was_done(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = declared({"a": CLASSIC})
    made = resource.create(old, screen.context())
    more = CLASSIC.model_copy(update={"settings": {"retention.ms": "1d"}})
    lost = ConnectionFailed("gone")
    alter = cluster.topics.alter

    def losing(changes: object) -> object:
        cluster.topics.failing = [lost]
        return alter(changes)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster.topics, "alter", losing)
    new = declared({"a": more, "b": CLASSIC})
    with pytest.raises(Incomplete, match="gone") as failed:
        resource.update("it", old, made.outputs, new, screen.context())
    assert failed.value.inputs == declared({"a": CLASSIC, "b": CLASSIC})


def test_what_an_early_end_left_unbegun_is_still_to_be_done(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    old = declared({"a": CLASSIC, "b": CLASSIC, "gone": CLASSIC}, deletion_protection=False)
    made = resource.create(old, screen.context())
    more = CLASSIC.model_copy(update={"partitions": 9})
    many = {f"topic-{number}": DISKLESS for number in range(501)}
    new = declared({"a": more, "b": CLASSIC, **many}, deletion_protection=False)
    create = cluster.topics.create
    calls = iter([None, ConnectionFailed("gone")])

    def failing(topics: object) -> object:
        if failure := next(calls):
            raise failure
        return create(topics)  # type: ignore[arg-type]

    cluster.topics.create = failing  # type: ignore[method-assign,assignment]
    with pytest.raises(Incomplete) as failed:
        resource.update("it", old, made.outputs, new, screen.context())
    left = failed.value
    assert isinstance(left.inputs, TopicSetInputs)
    assert left.inputs.topics["a"] == CLASSIC
    assert "gone" in left.inputs.topics
    assert len(left.inputs.topics) == 503
    assert isinstance(left.outputs, TopicSetOutputs)
    assert set(left.outputs.topic_ids) == set(left.inputs.topics)


def test_brokers_that_learn_slowly_are_waited_for_as_long_as_they_learn(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "inkless_pulumi.provider.topics.settling"
    monkeypatch.setattr(f"{module}._SETTLED_SECONDS", 0.2)
    monkeypatch.setattr(f"{module}._PAUSE", 0.1)
    shown: set[str] = set()
    describe = cluster.topics.describe

    def slowly(names: object, keys: object = None) -> object:
        found = describe(names, keys)  # type: ignore[arg-type]
        known = {name: topic for name, topic in found.items() if name in shown}
        shown.update(sorted(found.keys() - shown)[:1])
        return known

    monkeypatch.setattr(cluster.topics, "describe", slowly)
    topics = {f"topic-{number}": CLASSIC for number in range(6)}
    made = resource.create(declared(topics), screen.context())
    assert len(made.outputs.topic_ids) == 6


def test_brokers_that_do_not_learn_at_all_are_named_as_the_cause(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkless_pulumi.provider.topics.settling._SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(cluster.topics, "describe", lambda names, keys=None: {})
    many = {f"topic-{number}": DISKLESS for number in range(300)}
    with pytest.raises(Incomplete, match="the brokers made no progress") as failed:
        resource.create(declared(many), screen.context())
    assert "and 280 more" in str(failed.value)
    assert len(str(failed.value)) < 10_000


def test_a_half_made_topic_is_left_for_the_next_update_which_makes_it_anew(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.postgres = False
    with pytest.raises(Incomplete) as failed:
        resource.create(declared(BOTH), screen.context())
    left = failed.value
    assert left.inputs == declared({"orders": CLASSIC})
    assert left.outputs == TopicSetOutputs(topic_ids={"events": "id-2", "orders": "id-1"})

    cluster.topics.postgres = True
    assert isinstance(left.inputs, TopicSetInputs)
    outputs = resource.update("it", left.inputs, left.outputs, declared(BOTH), screen.context())
    assert outputs.topic_ids == {"events": "id-3", "orders": "id-1"}
    assert "deleted and made anew" in screen.warnings[0]


# Check


def test_problems_are_told_below_the_topic(resource: TopicSet) -> None:
    wrong = declared(
        {
            "a b": CLASSIC,
            "orders": CLASSIC.model_copy(update={"settings": {"retention.sm": "1"}}),
            "x.y": CLASSIC,
            "x_y": CLASSIC,
        }
    )
    told = problems(resource, wrong, wrong)
    assert told[0].startswith('topics["a b"]: a topic\'s name has letters')
    assert told[1].startswith('topics["orders"].settings["retention.sm"] = "1": is not a setting')
    assert told[2].startswith('topics["x_y"]: differs from the topic "x.y" in dots')


def test_more_replicas_than_brokers_are_told_below_the_topic(resource: TopicSet) -> None:
    three = CONNECTION.model_copy(update={"broker_count": 3})
    wide = CLASSIC.model_copy(update={"replication_factor": 5})
    inputs = declared({"orders": CLASSIC, "wide": wide}, connection=three)
    [problem] = problems(resource, inputs, inputs)
    assert problem.startswith('topics["wide"].replication_factor = 5: the service has 3 brokers')


def test_diskless_topics_of_a_classic_service_are_told_below_the_topic(resource: TopicSet) -> None:
    without = CONNECTION.model_copy(update={"diskless": False})
    [problem] = resource.check(dict(declared(BOTH, connection=without)), None)
    assert str(problem).startswith('topics["events"].kind = "diskless": is a diskless topic, and')


def test_a_typing_error_a_rename_and_fewer_partitions_are_three_messages(
    resource: TopicSet,
) -> None:
    old = declared({f"topic-{number}": CLASSIC for number in range(1000)})
    topics = dict(old.topics)
    topics["topic-1"] = CLASSIC.model_copy(update={"settings": {"retention.sm": "1"}})
    topics["renamed"] = topics.pop("topic-2")
    topics["topic-3"] = CLASSIC.model_copy(update={"partitions": 5})
    told = problems(resource, old, declared(topics))
    assert len(told) == 3
    assert 'did you mean "retention.ms"?' in told[0]
    assert 'topics["topic-3"].partitions = 5: the topic has 6 partitions' in told[1]
    assert 'topics["topic-2"]: was taken out while "renamed" came' in told[2]


def test_a_protected_topic_may_be_taken_out_after_an_update_without_protection(
    resource: TopicSet,
) -> None:
    open_set = declared(BOTH, deletion_protection=False)
    assert problems(resource, open_set, declared({"orders": CLASSIC})) == []
    at_once = declared({"orders": CLASSIC}, deletion_protection=False)
    assert len(problems(resource, declared(BOTH), at_once)) == 1


def test_a_topic_keeps_its_own_protection(resource: TopicSet) -> None:
    kept = CLASSIC.model_copy(update={"deletion_protection": True})
    open_set = declared({"kept": kept, "free": CLASSIC}, deletion_protection=False)
    [problem] = problems(resource, open_set, declared({}))
    assert problem.startswith('topics["kept"]: was taken out')


def test_settings_without_effect_are_warned_of_together(resource: TopicSet) -> None:
    idle = DISKLESS.model_copy(update={"settings": {"segment.bytes": "1GiB"}})
    topics = {"a": idle, "b": idle, "orders": CLASSIC}
    assert list(resource.warnings(dict(declared(topics)), None)) == [
        "segment.bytes: no effect on the diskless topics a, b."
    ]


# Read


def test_a_refresh_sees_what_changed_in_any_topic(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    inputs = declared({**BOTH, "gone": CLASSIC})
    made = resource.create(inputs, screen.context())
    del cluster.topics.all["gone"]
    changed = {"retention.ms": "5", "segment.ms": "9"}
    cluster.topics.all["orders"] = replace(
        cluster.topics.all["orders"], settings=changed, partitions=8
    )
    found = resource.read("it", inputs, made.outputs, screen.context())
    assert found is not None
    assert found[0].topics == {
        "orders": DeclaredTopicInputs(kind="classic", partitions=8, settings=changed),
        "events": DISKLESS,
    }
    assert found[1].topic_ids == {"orders": "id-1", "events": "id-2"}


def test_a_refresh_without_changes_finds_none(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    inputs = declared(BOTH)
    made = resource.create(inputs, screen.context())
    assert resource.read("it", inputs, made.outputs, screen.context()) == (inputs, made.outputs)


def test_a_set_of_which_all_is_gone_is_gone(resource: TopicSet, screen: Screen) -> None:
    ids = TopicSetOutputs(topic_ids={"orders": "id-1"})
    assert resource.read("it", declared({"orders": CLASSIC}), ids, screen.context()) is None


def test_an_import_takes_the_topics_that_match(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource.create(declared({**BOTH, "orders.eu": CLASSIC, "other": CLASSIC}), screen.context())
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    found = resource.read("orders*, events", None, None, screen.context())
    assert found is not None
    assert set(found[0].topics) == {"orders", "orders.eu", "events"}
    assert found[0].topics["events"] == DISKLESS.model_copy(update={"replication_factor": 3})
    assert found[0].deletion_protection
    with pytest.raises(ClusterError, match="has no topic nothing"):
        resource.read("orders,nothing", None, None, screen.context())


# What is wrong by its form


def test_what_is_mistyped_hides_nothing_else_that_is_wrong() -> None:
    topic = {"kind": "classic", "partitions": 6, "replicationFactor": 3}
    olds = told_to_the_plugin(dict.fromkeys(("a", "b", "c", "d"), topic))
    news = told_to_the_plugin(
        {
            "a": {"kind": "clasic", "partitions": 6},
            "b": {"kind": "classic", "partitons": 6, "settings": {"retention.sm": "7d"}},
            "c": {"kind": "classic", "partitions": 5},
            "e": {"kind": "classic", "partitions": "many"},
        }
    )
    token = "inkless:index:TopicSet"
    checked = answer(silent_provider().check(CheckRequest(urn(token), olds, news, b"")))
    assert [failure.reason for failure in checked.failures or []] == [
        'topics["a"].kind = "clasic": is not one of the possible values; use \'classic\' or '
        "'diskless'",
        'topics["b"].partitions: is required; give it a value',
        'topics["b"].partitons: is not an argument; did you mean "partitions"?',
        'topics["e"].partitions = "many": must be a valid integer; give a value of that kind',
        'topics["b"].settings["retention.sm"] = "7d": is not a setting of topics; did you mean '
        '"retention.ms"?',
        'topics["c"].partitions = 5: the topic has 6 partitions, and Kafka can\'t take partitions '
        "away; set it back to 6, or declare a new topic and copy the records",
        'topics["d"]: was taken out, and is protected against deletion; put it back; or set '
        "deletion_protection to False, run `pulumi up`, and take it out after that",
    ]


def test_what_is_not_known_yet_of_one_topic_hides_nothing_that_is_wrong() -> None:
    news = told_to_the_plugin(
        {
            "a": {"kind": "classic", "partitions": UNKNOWN, "replicationFactor": UNKNOWN},
            "b": {"kind": "classic", "partitions": 0},
        }
    )
    token = "inkless:index:TopicSet"
    checked = answer(silent_provider().check(CheckRequest(urn(token), {}, news, b"")))
    assert [failure.reason for failure in checked.failures or []] == [
        'topics["b"].partitions = 0: a topic has one partition at least; use 1 or more'
    ]


def test_one_mistake_in_what_holds_for_many_topics_is_told_once() -> None:
    wrong = {"kind": "classic", "partitions": 1, "settings": {"retention.sm": "7d"}}
    news = told_to_the_plugin({f"topic-{number}": wrong for number in range(1000)})
    token = "inkless:index:TopicSet"
    checked = answer(silent_provider().check(CheckRequest(urn(token), {}, news, b"")))
    (failure,) = checked.failures or []
    assert failure.reason.startswith('topics["topic-0"].settings["retention.sm"] = "7d": is not a')
    assert "(999 more like this: " in failure.reason


def told_to_the_plugin(topics: dict[str, dict[str, object]]) -> dict[str, PropertyValue]:
    connection = CONNECTION.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"topics": wire(topics), "connection": wire(connection)}

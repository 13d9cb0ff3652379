"""What reports of previews say of the quick-start happens, on real brokers, and nothing else does.

These tests come last, as their names sort: at their end the service is removed. Each goes on where
the one before stopped.
"""

import dataclasses

import pytest

from proofs.claims.comparison import broken_claims
from tests.engine.report.pull_requests import CREATED, PULL_REQUESTS
from tests.engine.report.quick_start import Edit
from tests.sandbox.quickstart.carrying_out import Service
from tests.sandbox.quickstart.deployed import Deployed

# kafka-python lets go of the socket of a broker that goes away without closing it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <.*socket:pytest.PytestUnraisableExceptionWarning"
)

EDITS = {request.name: request.edits for request in (CREATED, *PULL_REQUESTS)}
ZONES = '    "zones": zones,\n'
HEAP: Edit = (ZONES, f'{ZONES}    "heap_mib": 400,\n')
"""As much as a machine of the sandbox has room for; a node takes no more than its machine has."""
ROTATED: Edit = ('"secret_id": user_secret.arn,', '"secret_id": user_secret.arn, "rotation": "2",')
_NEXT, _AUDIT = EDITS["one-replica"][0]
_AUDIT = _AUDIT.replace('"partitions": 1,', '"partitions": 6,')
AUDIT: Edit = (_NEXT, _AUDIT)
"""A topic with one replica, of which every node holds some."""
NO_AUDIT: Edit = (_AUDIT, _NEXT)
ACCEPTED: Edit = (ZONES, f'{ZONES}    "on_shortage": "accept",\n')


@pytest.fixture(scope="module")
def service(deployed: Deployed) -> Service:
    return Service(deployed)


def test_a_creation(service: Service) -> None:
    done = service.creation()
    assert done.broken == []
    assert {"service-created", "topic-created", "kafka-of-new-service"} <= done.rules


def test_more_rights_and_another_password(service: Service) -> None:
    done = service.change(*EDITS["access-rule"], ROTATED)
    assert done.broken == []
    assert {"kafka-widens", "password-rotates"} <= done.rules


def test_a_setting_a_heap_and_a_machine_type_roll_every_node_and_make_no_topic_unavailable(
    service: Service,
) -> None:
    done = service.change(*EDITS["static-setting"], HEAP, *EDITS["machine-type"])
    assert done.broken == []
    assert "no topic of this stack becomes unavailable" in done.report.verdict
    # The comparison would notice a roll that was not told of, or another than was told.
    report = done.report
    silent = [one for one in report.findings if one.rule != "nodes-replaced"]
    assert [*broken_claims(report.model_copy(update={"findings": silent}), done.update)] != []
    still = dataclasses.replace(done.update, after=done.update.before)
    assert [*broken_claims(report, still)] != []


def test_a_setting_without_a_restart_volumes_that_grow_and_an_open_firewall(
    service: Service,
) -> None:
    done = service.change(*EDITS["dynamic-setting"], *EDITS["volume"], *EDITS["open-firewall"])
    assert done.broken == []
    assert {"settings-applied", "volumes-grow", "firewall-opened"} <= done.rules
    assert "nodes-replaced" not in done.rules


def test_topics_that_keep_less_and_have_more_partitions_a_new_one_and_a_closed_firewall(
    service: Service,
) -> None:
    topics = (*EDITS["retention"], *EDITS["partitions"], AUDIT)
    done = service.change(*topics, *EDITS["closed-firewall"])
    assert done.broken == []
    told = {"retention-shrinks", "partitions-added", "topic-created", "firewall-narrows"}
    assert told <= done.rules


def test_a_protected_topic_stays(service: Service) -> None:
    done = service.change(NO_AUDIT)
    assert done.report.status == "refused"
    assert done.broken == []


def test_a_roll_is_refused_where_it_would_make_a_topic_unavailable(service: Service) -> None:
    done = service.change(*EDITS["roll-with-one-replica"])
    assert "update-held-up" in done.rules
    assert done.broken == []


def test_a_roll_makes_the_topics_unavailable_that_were_named(service: Service) -> None:
    done = service.change(*EDITS["roll-with-one-replica"], ACCEPTED)
    assert {"nodes-replaced", "topic-unavailable"} <= done.rules
    assert done.update.watched.unavailable == {"audit"}
    assert done.broken == []


def test_protection_is_switched_off_and_the_service_is_removed(service: Service) -> None:
    unprotected = service.change(*EDITS["unprotected"])
    assert "protection-removed" in unprotected.rules
    assert unprotected.broken == []
    done = service.destroy()
    assert "service-deleted" in done.rules
    assert done.broken == []

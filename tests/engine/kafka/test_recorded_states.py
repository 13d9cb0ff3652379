"""What the engine records of each resource, kept so that later versions can prove they read it.

After a change of what is recorded: run this with INKLESS_WRITE_GOLDEN=1, which writes a new file of
the present version. Files of released versions stay as they are.
"""

import importlib.metadata
import json
import os
import re
from pathlib import Path
from typing import Any

from inkless_pulumi import AccessRule, ClassicTopic, ConnectionArgs, Quota, TopicSet, User
from tests.engine.kafka.account import REGION, Account
from tests.engine.real_engine import Engine

STATES = Path(__file__).parents[2] / "unit" / "provider" / "states"


def test_the_recorded_state_is_that_of_the_present_version(
    engine: Engine, account: Account, connection: ConnectionArgs
) -> None:
    secret_id = account.new("recorded")
    store = {"region": REGION}

    on_it: Any = {"connection": connection}

    def program() -> None:
        topic: Any = {"name": "recorded.one", "partitions": 2, "settings": {"retention.ms": "7d"}}
        ClassicTopic("topic", topic | {"replication_factor": 1} | on_it)
        topics: Any = {
            "recorded.a": {"kind": "classic", "partitions": 1},
            "recorded.b": {
                "kind": "classic",
                "partitions": 1,
                "replication_factor": 1,
                "settings": {"retention.bytes": "50GiB"},
                "deletion_protection": False,
            },
        }
        TopicSet("topics", {"topics": topics} | on_it)
        user: Any = {"name": "recorded", "secret_id": secret_id, "secret_store": store}
        User("user", user | on_it)
        raw: Any = {"principal": "User:recorded", "resource_type": "topic", "resource_name": "a"}
        AccessRule("raw", raw | {"operations": ["read", "describe"]} | on_it)
        intent: Any = {"principal": "User:recorded", "intent": "consume", "topic": "recorded.*"}
        AccessRule("intent", intent | {"group": "recorded"} | on_it)
        quota: Any = {"user": "recorded", "producer_byte_rate": "10MiB", "request_percentage": 50}
        Quota("quota", quota | on_it)

    engine.up(program)
    told = {
        name: {
            "type": found["type"],
            **{part: _plain(found[part]) for part in ("inputs", "outputs")},
        }
        for name, found in sorted(engine.resources().items())
        if found["type"].startswith("inkless:")
    }
    kept = STATES / f"{importlib.metadata.version('inkless-pulumi')}.json"
    if os.environ.get("INKLESS_WRITE_GOLDEN"):
        kept.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n")
    assert told == json.loads(kept.read_text())


def _plain(properties: dict[str, Any]) -> Any:
    """Properties without what is another value in every run."""
    text = json.dumps(properties)
    text = re.sub(r"127\.77\.0\.\d+:\d+", "broker:9094", text)
    text = re.sub(r"-----BEGIN CERT.*?END CERTIFICATE-----\\n", "a certificate", text)
    text = re.sub(r"secret:(\w+)-\w+", r"secret:\1", text)
    text = re.sub(r'("(?:topicId|versionId|recorded\.[ab])"): "[\w-]+"', r'\1: "an id"', text)
    return json.loads(text)

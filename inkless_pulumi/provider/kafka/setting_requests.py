"""Requests about the settings that all brokers share, kept in the cluster's metadata."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka.protocol.admin import DescribeConfigsRequest, IncrementalAlterConfigsRequest

from inkless_pulumi.provider.kafka.client import Outcome, Session
from inkless_pulumi.provider.kafka.everywhere import await_everywhere
from inkless_pulumi.provider.kafka.model import Refusal

__all__ = ["KafkaSettings"]

_BROKER = 4  # ConfigResource.Type.BROKER
_ALL = ""  # the name that stands for every broker
_SET_FOR_ALL = 3  # DescribeConfigsResponse.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
_FILE = 4  # DescribeConfigsResponse.ConfigSource.STATIC_BROKER_CONFIG
_SET, _DELETE = 0, 1  # AlterConfigOp.OpType


class KafkaSettings:
    """Cluster-wide settings of a real cluster; see `SettingRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self) -> Mapping[str, str]:
        """Tell what is set for all brokers."""
        return _from(_SET_FOR_ALL, self._describe(_ALL, None, None))

    def alter(self, changes: Mapping[str, str | None]) -> Refusal | None:
        """Set settings, or with None unset them; returns when every broker has them."""
        operations = [(key, _DELETE if new is None else _SET, new) for key, new in changes.items()]

        def request(names: Iterable[str]) -> Any:
            resources = [(_BROKER, name, operations) for name in names]
            return IncrementalAlterConfigsRequest(resources=resources, validate_only=False)

        def outcomes(response: Any) -> Iterable[Outcome[str, None]]:
            for answer in response.responses:
                yield answer.resource_name, answer.error_code, answer.error_message, None

        answer = self._session.send_each([_ALL], request, outcomes)[_ALL]
        if answer is None:
            await_everywhere(
                self._session, lambda node: self._has(node, changes), f"{', '.join(changes)}"
            )
        return answer

    def read_at_start(self, node_id: int, names: Sequence[str]) -> Mapping[str, str]:
        """Tell what a broker has read from its file; what it keeps to itself is not in it."""
        return _from(_FILE, self._describe(str(node_id), node_id, names))

    def effective(self, node_id: int, names: Sequence[str]) -> dict[str, str | None]:
        """Tell what a broker goes by, wherever it has it from."""
        configs = self._describe(str(node_id), node_id, names)
        return {config.name: config.value for config in configs}

    def _has(self, node_id: int, wanted: Mapping[str, str | None]) -> bool:
        found = _from(_SET_FOR_ALL, self._describe(str(node_id), node_id, list(wanted)))
        return all(found.get(name) == value for name, value in wanted.items())

    def _describe(self, name: str, node_id: int | None, keys: Sequence[str] | None) -> Any:
        def request() -> Any:
            return DescribeConfigsRequest(resources=[(_BROKER, name, keys)], include_synonyms=True)

        response = self._session.send(request, node_id)
        (result,) = response.results
        self._session.expect(result.error_code, result.error_message)
        return result.configs


def _from(source: int, configs: Iterable[Any]) -> dict[str, str]:
    """The values that come from one source; sensitive ones are not told."""
    return {
        config.name: synonym.value
        for config in configs
        for synonym in config.synonyms
        if synonym.source == source and synonym.name == config.name
        if synonym.value is not None
    }

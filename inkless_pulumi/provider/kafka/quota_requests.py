"""Requests about quotas."""

from collections.abc import Iterable, Mapping
from typing import Any

from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from inkless_pulumi.provider.kafka.client import Outcome, Session
from inkless_pulumi.provider.kafka.model import QuotaEntity, Refusal

__all__ = ["KafkaQuotas"]

_EXACT, _DEFAULT = 0, 1  # DescribeClientQuotasRequest's match types


class KafkaQuotas:
    """Quotas of a real cluster; see `QuotaRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self, entity: QuotaEntity) -> Mapping[str, float]:
        """Tell the limits of exactly this entity, by Kafka's names; none: an empty mapping."""
        component = DescribeClientQuotasRequest.ComponentData

        def request() -> Any:
            return DescribeClientQuotasRequest(
                components=[
                    component(
                        entity_type=kind,
                        match_type=_DEFAULT if name is None else _EXACT,
                        match=name,
                    )
                    for kind, name in entity
                ],
                strict=True,
            )

        response = self._session.send(request)
        self._session.expect(response.error_code, response.error_message)
        return {
            value.key: value.value for entry in response.entries or () for value in entry.values
        }

    def alter(self, entity: QuotaEntity, changes: Mapping[str, float | None]) -> Refusal | None:
        """Set limits, or with None remove them; what is not named stays as it is."""
        entry = AlterClientQuotasRequest.EntryData

        def request(_: object) -> Any:
            operations = [
                entry.OpData(key=key, value=value or 0.0, remove=value is None)
                for key, value in changes.items()
            ]
            who = [entry.EntityData(entity_type=kind, entity_name=name) for kind, name in entity]
            entries = [entry(entity=who, ops=operations)]
            return AlterClientQuotasRequest(entries=entries, validate_only=False)

        def outcomes(response: Any) -> Iterable[Outcome[QuotaEntity, None]]:
            for answer in response.entries:
                yield entity, answer.error_code, answer.error_message, None

        return self._session.send_each([entity], request, outcomes)[entity]

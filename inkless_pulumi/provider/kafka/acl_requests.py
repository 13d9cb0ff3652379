"""Requests about access control entries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka.admin import ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourceType
from kafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from inkless_pulumi.provider.kafka.client import Outcome, Session
from inkless_pulumi.provider.kafka.everywhere import await_everywhere
from inkless_pulumi.provider.kafka.model import Acl, Refusal

__all__ = ["KafkaAcls"]

_ANY_OPERATION = int(ACLOperation.ANY)
_OPERATIONS = {operation.name.lower(): int(operation) for operation in ACLOperation}
_OPERATIONS["two_phase_commit"] = 15  # KIP-939; kafka-python 3.0 does not name it
_OPERATION_NAMES = {code: name for name, code in _OPERATIONS.items()}


class KafkaAcls:
    """Access control entries of a real cluster; see `AclRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Add entries; one that exists already is no error. Returns when every broker knows."""

        def outcomes(asked: Sequence[Acl], response: Any) -> Iterable[Outcome[Acl, None]]:
            for acl, result in zip(asked, response.results, strict=True):
                yield acl, result.error_code, result.error_message, None

        answers = self._send(acls, _creation, outcomes)
        self._await([acl for acl, answer in answers.items() if answer is None], present=True)
        return answers

    def describe(self, like: Acl) -> frozenset[Acl]:
        """Find the entries that differ from `like` in the operation at most."""
        return self._describe(like, None)

    def delete(self, acls: Sequence[Acl]) -> Mapping[Acl, Refusal | None]:
        """Remove exactly these entries; one that is gone already is no error."""

        def outcomes(asked: Sequence[Acl], response: Any) -> Iterable[Outcome[Acl, None]]:
            for acl, result in zip(asked, response.filter_results, strict=True):
                yield acl, result.error_code, result.error_message, None

        answers = self._send(acls, _exact_filter, outcomes)
        self._await([acl for acl, answer in answers.items() if answer is None], present=False)
        return answers

    def _send(
        self,
        acls: Sequence[Acl],
        request: Any,
        outcomes: Any,
    ) -> dict[Acl, Refusal | None]:
        """Send a request whose answers carry no name but stand in the order of the questions."""
        asked: list[Acl] = []

        def remember(pending: Sequence[Acl]) -> Any:
            asked[:] = pending
            return request(pending)

        return self._session.send_each(
            dict.fromkeys(acls), remember, lambda response: outcomes(asked, response)
        )

    def _describe(self, like: Acl, node_id: int | None) -> frozenset[Acl]:
        def request() -> Any:
            return DescribeAclsRequest(operation=_ANY_OPERATION, **_filter_fields(like))

        response = self._session.send(request, node_id)
        self._session.expect(response.error_code, response.error_message)
        return frozenset(
            Acl(
                principal=entry.principal,
                host=entry.host,
                resource_type=ResourceType(resource.resource_type).name.lower(),
                resource_name=resource.resource_name,
                pattern_type=ACLResourcePatternType(resource.pattern_type).name.lower(),
                operation=_OPERATION_NAMES.get(entry.operation, "unknown"),
                permission=ACLPermissionType(entry.permission_type).name.lower(),
            )
            for resource in response.resources
            for entry in resource.acls
        )

    def _await(self, acls: Sequence[Acl], *, present: bool) -> None:
        def knows(node_id: int) -> bool:
            found: set[Acl] = set()
            for like in {_without_operation(acl): acl for acl in acls}.values():
                found |= self._describe(like, node_id)
            return all((acl in found) == present for acl in acls)

        if acls:
            await_everywhere(self._session, knows, "the access rules")


def _without_operation(acl: Acl) -> tuple[str, ...]:
    return (
        acl.principal,
        acl.host,
        acl.resource_type,
        acl.resource_name,
        acl.pattern_type,
        acl.permission,
    )


def _creation(acls: Sequence[Acl]) -> Any:
    entry = CreateAclsRequest.AclCreation
    return CreateAclsRequest(
        creations=[
            entry(
                resource_type=ResourceType[acl.resource_type.upper()],
                resource_name=acl.resource_name,
                resource_pattern_type=ACLResourcePatternType[acl.pattern_type.upper()],
                principal=acl.principal,
                host=acl.host,
                operation=_OPERATIONS[acl.operation],
                permission_type=ACLPermissionType[acl.permission.upper()],
            )
            for acl in acls
        ]
    )


def _exact_filter(acls: Sequence[Acl]) -> Any:
    entry = DeleteAclsRequest.DeleteAclsFilter
    return DeleteAclsRequest(
        filters=[entry(operation=_OPERATIONS[acl.operation], **_filter_fields(acl)) for acl in acls]
    )


def _filter_fields(acl: Acl) -> dict[str, object]:
    return {
        "resource_type_filter": ResourceType[acl.resource_type.upper()],
        "resource_name_filter": acl.resource_name,
        "pattern_type_filter": ACLResourcePatternType[acl.pattern_type.upper()],
        "principal_filter": acl.principal,
        "host_filter": acl.host,
        "permission_type": ACLPermissionType[acl.permission.upper()],
    }

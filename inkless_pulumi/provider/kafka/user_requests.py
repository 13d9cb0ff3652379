"""Requests about SCRAM credentials."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kafka.protocol.admin import (
    AlterUserScramCredentialsRequest,
    DescribeUserScramCredentialsRequest,
)

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.client import Outcome, Session, refusal
from inkless_pulumi.provider.kafka.everywhere import await_everywhere
from inkless_pulumi.provider.kafka.model import Mechanism, Refusal, ScramCredential

__all__ = ["KafkaUsers"]

_CODES: Final[Mapping[Mechanism, int]] = {"SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2}  # ScramMechanism
_HASHES: Final[Mapping[Mechanism, str]] = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
_NO_SUCH_CREDENTIAL = 91  # RESOURCE_NOT_FOUND
_SALT_BYTES = 24

Iterations = Mapping[Mechanism, int]


class KafkaUsers:
    """Credentials of a real cluster; see `UserRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self, names: Sequence[str]) -> Mapping[str, Iterations]:
        """Iterations of each user's credentials; a user without any is not in the answer."""
        return self._describe(names, None)

    def alter(
        self,
        credentials: Sequence[ScramCredential],
        removed: Sequence[tuple[str, Mechanism]] = (),
    ) -> Mapping[str, Refusal | None]:
        """Set and remove credentials; returns when every broker knows."""
        wanted = {credential.user: credential for credential in credentials}
        users = list(dict.fromkeys([*wanted, *(user for user, _ in removed)]))

        def request(pending: Sequence[str]) -> Any:
            return AlterUserScramCredentialsRequest(
                deletions=[
                    (user, _CODES[mechanism]) for user, mechanism in removed if user in pending
                ],
                upsertions=[_upsertion(wanted[user]) for user in pending if user in wanted],
            )

        answers = self._session.send_each(users, request, _outcomes)
        gone = refusal(_NO_SUCH_CREDENTIAL, None).error
        for user, _ in removed:
            answer = answers.get(user)
            if isinstance(answer, Refusal) and answer.error == gone:
                answers[user] = None
        settled = [user for user in users if answers[user] is None]

        def knows(node_id: int) -> bool:
            found = self._describe(settled, node_id)
            return all(
                found.get(user, {}).get(wanted[user].mechanism) == wanted[user].iterations
                for user in settled
                if user in wanted
            ) and not any(
                mechanism in found.get(user, {}) for user, mechanism in removed if user in settled
            )

        await_everywhere(self._session, knows, "the users")
        return answers

    def _describe(self, names: Sequence[str], node_id: int | None) -> Mapping[str, Iterations]:
        if not names:
            return {}

        def request() -> Any:
            return DescribeUserScramCredentialsRequest(users=[(name,) for name in names])

        response = self._session.send(request, node_id)
        self._session.expect(response.error_code, response.error_message)
        names_of = {code: mechanism for mechanism, code in _CODES.items()}
        found: dict[str, Iterations] = {}
        for result in response.results:
            if result.error_code == _NO_SUCH_CREDENTIAL:
                continue
            if result.error_code:
                problem = refusal(result.error_code, result.error_message)
                raise ClusterError(f"User {result.user} can't be read. Kafka: {problem}")
            found[result.user] = {
                names_of[credential.mechanism]: credential.iterations
                for credential in result.credential_infos
                if credential.mechanism in names_of
            }
        return found


def _outcomes(response: Any) -> Iterable[Outcome[str, None]]:
    for result in response.results:
        yield result.user, result.error_code, result.error_message, None


def _upsertion(credential: ScramCredential) -> tuple[str, int, int, bytes, bytes]:
    """What the broker stores is salted here (KIP-554): the password does not travel."""
    salt = os.urandom(_SALT_BYTES)
    password, iterations = credential.password.encode(), credential.iterations
    salted = hashlib.pbkdf2_hmac(_HASHES[credential.mechanism], password, salt, iterations)
    return credential.user, _CODES[credential.mechanism], iterations, salt, salted

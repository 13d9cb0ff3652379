"""Requests about SCRAM-SHA-512 credentials."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka.protocol.admin import (
    AlterUserScramCredentialsRequest,
    DescribeUserScramCredentialsRequest,
)

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.client import Outcome, Session, refusal
from inkless_pulumi.provider.kafka.everywhere import await_everywhere
from inkless_pulumi.provider.kafka.model import Refusal, ScramCredential

__all__ = ["KafkaUsers"]

_SHA_512 = 2  # ScramMechanism.SCRAM_SHA_512
_NO_SUCH_CREDENTIAL = 91  # RESOURCE_NOT_FOUND
_SALT_BYTES = 24


class KafkaUsers:
    """Credentials of a real cluster; see `UserRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self, names: Sequence[str]) -> Mapping[str, int]:
        """Iterations of each user's credential; a user without one is not in the answer."""
        return self._describe(names, None)

    def alter(
        self,
        credentials: Sequence[ScramCredential],
        removed: Sequence[str] = (),
    ) -> Mapping[str, Refusal | None]:
        """Set and remove credentials; returns when every broker knows."""
        wanted = {credential.user: credential for credential in credentials}
        users = [*wanted, *removed]

        def request(pending: Sequence[str]) -> Any:
            return AlterUserScramCredentialsRequest(
                deletions=[(user, _SHA_512) for user in pending if user not in wanted],
                upsertions=[_upsertion(wanted[user]) for user in pending if user in wanted],
            )

        answers = self._session.send_each(users, request, _outcomes)
        gone = refusal(_NO_SUCH_CREDENTIAL, None).error
        for user in removed:
            answer = answers.get(user)
            if isinstance(answer, Refusal) and answer.error == gone:
                answers[user] = None
        expected = {user: wanted[user].iterations for user in wanted if answers[user] is None}
        settled = [user for user in users if answers[user] is None]
        await_everywhere(
            self._session,
            lambda node_id: dict(self._describe(settled, node_id)) == expected,
            "the users",
        )
        return answers

    def _describe(self, names: Sequence[str], node_id: int | None) -> Mapping[str, int]:
        if not names:
            return {}

        def request() -> Any:
            return DescribeUserScramCredentialsRequest(users=[(name,) for name in names])

        response = self._session.send(request, node_id)
        self._session.expect(response.error_code, response.error_message)
        found: dict[str, int] = {}
        for result in response.results:
            if result.error_code == _NO_SUCH_CREDENTIAL:
                continue
            if result.error_code:
                problem = refusal(result.error_code, result.error_message)
                raise ClusterError(f"User {result.user} can't be read. Kafka: {problem}")
            for credential in result.credential_infos:
                if credential.mechanism == _SHA_512:
                    found[result.user] = credential.iterations
        return found


def _outcomes(response: Any) -> Iterable[Outcome[str, None]]:
    for result in response.results:
        yield result.user, result.error_code, result.error_message, None


def _upsertion(credential: ScramCredential) -> tuple[str, int, int, bytes, bytes]:
    """What the broker stores is salted here (KIP-554): the password does not travel."""
    salt = os.urandom(_SALT_BYTES)
    password = credential.password.encode()
    salted = hashlib.pbkdf2_hmac("sha512", password, salt, credential.iterations)
    return credential.user, _SHA_512, credential.iterations, salt, salted

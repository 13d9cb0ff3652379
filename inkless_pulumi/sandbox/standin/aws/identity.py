"""IAM: roles, policies, instance profiles. Recorded only."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.documents import check_document, with_documents_as_text
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    name_or_prefixed,
    now,
    stable_id,
    unique_id,
)
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.naming import NameRule

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/policy:Policy"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_MOST_INLINE_POLICY_CHARACTERS = 10240


def _check_name(inputs: Properties, longest: int) -> Iterator[Failure]:
    name = inputs.get("name")
    if isinstance(name, str) and (not _NAME.fullmatch(name) or len(name) > longest):
        yield Failure("name", f"{name!r}: at most {longest} letters, digits and +=,.@-_")


def _refuse_taken(ledger: Ledger, token: str, resource_id: str, urn: str, what: str) -> None:
    existing = ledger.get(token, resource_id)
    if existing is not None and existing.urn != urn:
        raise CloudError("EntityAlreadyExists", f"{what} already exists.")


def _role(ledger: Ledger, name: str) -> Record:
    found = ledger.get(ROLE, name)
    if found is None:
        raise CloudError("NoSuchEntity", f"The role with name {name} cannot be found.")
    return found


class Role(Behaviour):
    """A role."""

    token = ROLE
    name_rule = NameRule(longest=64)
    defaults: ClassVar[Mapping[str, Any]] = {
        "description": "",
        "forceDetachPolicies": False,
        "maxSessionDuration": 3600,
        "path": "/",
    }

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "assumeRolePolicy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Name, policy and session length."""
        yield from _check_name(inputs, 64)
        yield from check_document("assumeRolePolicy", inputs.get("assumeRolePolicy"))
        seconds = inputs.get("maxSessionDuration")
        if isinstance(seconds, int) and not 3600 <= seconds <= 43200:
            yield Failure("maxSessionDuration", f"{seconds} is not in 3600..43200 (seconds)")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = name_or_prefixed(inputs)
        _refuse_taken(ledger, self.token, name, urn, f"Role with name {name}")
        path = inputs.get("path", "/")
        return Created(
            name,
            {
                "arn": arn(site, "iam", f"role{path}{name}", region=""),
                "createDate": now(),
                "inlinePolicies": inputs.get("inlinePolicies", []),
                "managedPolicyArns": inputs.get("managedPolicyArns", []),
                "name": name,
                "uniqueId": unique_id("AROA"),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Nothing may be attached to it."""
        for token, what in ((ROLE_POLICY, "delete policies"), (ATTACHMENT, "detach all policies")):
            if ledger.find(token, role=record.id) and not record.outputs["forceDetachPolicies"]:
                raise CloudError("DeleteConflict", f"Cannot delete entity, must {what} first.")
        if ledger.find(PROFILE, role=record.id):
            raise CloudError(
                "DeleteConflict",
                "Cannot delete entity, must remove roles from instance profile first.",
            )


class RolePolicy(Behaviour):
    """A policy written into a role."""

    token = ROLE_POLICY
    name_rule = NameRule(longest=128)

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Name and policy; a role has room for 10,240 characters."""
        yield from _check_name(inputs, 128)
        yield from check_document("policy", inputs.get("policy"))
        policy = inputs.get("policy")
        if (
            isinstance(policy, str)
            and len("".join(policy.split())) > _MOST_INLINE_POLICY_CHARACTERS
        ):
            yield Failure(
                "policy", f"longer than {_MOST_INLINE_POLICY_CHARACTERS} characters besides space"
            )

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing role."""
        role = _role(ledger, inputs["role"])
        name = name_or_prefixed(inputs)
        _refuse_taken(ledger, self.token, f"{role.id}:{name}", urn, f"Policy {name} of {role.id}")
        return Created(f"{role.id}:{name}", {"name": name})


class Policy(Behaviour):
    """A policy of its own."""

    token = POLICY
    name_rule = NameRule(longest=128)
    defaults: ClassVar[Mapping[str, Any]] = {"path": "/"}

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Name and policy."""
        yield from _check_name(inputs, 128)
        yield from check_document("policy", inputs.get("policy"))

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = name_or_prefixed(inputs)
        policy_arn = arn(site, "iam", f"policy{inputs.get('path', '/')}{name}", region="")
        _refuse_taken(ledger, self.token, policy_arn, urn, f"A policy called {name}")
        return Created(
            policy_arn,
            {
                "arn": policy_arn,
                "attachmentCount": 0,
                "name": name,
                "policyId": unique_id("ANPA"),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """It must be attached to nothing."""
        if ledger.find(ATTACHMENT, policyArn=record.id):
            raise CloudError("DeleteConflict", "Cannot delete a policy attached to entities.")


class RolePolicyAttachment(Behaviour):
    """A policy attached to a role."""

    token = ATTACHMENT

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The policy is named by its ARN."""
        policy = inputs.get("policyArn")
        if isinstance(policy, str) and not policy.startswith("arn:"):
            yield Failure("policyArn", f"{policy!r} is not an ARN")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Both exist; the cloud's own policies always do."""
        role, policy = _role(ledger, inputs["role"]), inputs["policyArn"]
        if not policy.startswith("arn:aws:iam::aws:") and ledger.get(POLICY, policy) is None:
            raise CloudError("NoSuchEntity", f"Policy {policy} does not exist.")
        return Created(stable_id(f"{role.id}-", policy), {})


class InstanceProfile(Behaviour):
    """What gives a machine its role."""

    token = PROFILE
    name_rule = NameRule(longest=128)
    defaults: ClassVar[Mapping[str, Any]] = {"path": "/"}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name."""
        yield from _check_name(inputs, 128)

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Of an existing role."""
        name = name_or_prefixed(inputs)
        _refuse_taken(ledger, self.token, name, urn, f"Instance Profile {name}")
        if "role" in inputs:
            _role(ledger, inputs["role"])
        path = inputs.get("path", "/")
        return Created(
            name,
            {
                "arn": arn(site, "iam", f"instance-profile{path}{name}", region=""),
                "createDate": now(),
                "name": name,
                "uniqueId": unique_id("AIPA"),
            },
        )


BEHAVIOURS: tuple[Behaviour, ...] = (
    Role(),
    RolePolicy(),
    Policy(),
    RolePolicyAttachment(),
    InstanceProfile(),
)

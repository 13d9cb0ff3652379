"""KMS keys, Secrets Manager, SSM parameters.

Behind secrets and parameters stand those of the local server of these services, whose values are
nowhere else: the books of the account hold none.
"""

import base64
import re
import secrets
import string
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws import local_api
from inkless_pulumi.sandbox.standin.aws.documents import check_document, with_documents_as_text
from inkless_pulumi.sandbox.standin.aws.shapes import arn, name_or_prefixed, now, region_of
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.differences import Change
from inkless_pulumi.sandbox.standin.naming import NameRule

KEY = "aws:kms/key:Key"
SECRET = "aws:secretsmanager/secret:Secret"
_DELETED_SECRET = f"{SECRET} in its recovery window"
_SUFFIX_TAG = "_custom_id_"
"""By which moto takes the end of a secret's ARN, which it would draw by chance."""
PARAMETER = "aws:ssm/parameter:Parameter"
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_PARAMETER_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_STANDARD_PARAMETER_BYTES = 4096


class Key(Behaviour):
    """An encryption key."""

    token = KEY
    defaults: ClassVar[Mapping[str, Any]] = {
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    }

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Policy and periods."""
        yield from check_document("policy", inputs.get("policy"))
        days = inputs.get("deletionWindowInDays")
        if isinstance(days, int) and not 7 <= days <= 30:
            yield Failure("deletionWindowInDays", f"{days} is not in 7..30 (days)")
        period = inputs.get("rotationPeriodInDays")
        if isinstance(period, int) and not 90 <= period <= 2560:
            yield Failure("rotationPeriodInDays", f"{period} is not in 90..2560 (days)")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """With the policy that lets the account do everything, if none is given."""
        key_id = str(uuid.uuid4())
        policy = (
            '{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":'
            f'{{"AWS":"arn:aws:iam::{site.account_id}:root"}},"Resource":"*",'
            '"Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}'
        )
        return Created(
            key_id,
            {
                "arn": arn(site, "kms", f"key/{key_id}", region_of(site, inputs)),
                "keyId": key_id,
                "description": inputs.get("description", ""),
                "multiRegion": inputs.get("multiRegion", False),
                "policy": inputs.get("policy", policy),
                "rotationPeriodInDays": inputs.get("rotationPeriodInDays", 365)
                if inputs.get("enableKeyRotation")
                else None,
            },
        )


def find_key(ledger: Ledger, reference: str) -> Record | None:
    """A key by its id, ARN or alias."""
    for key in ledger.find(KEY):
        if reference in (key.id, key.outputs["arn"]):
            return key
    for alias in ledger.find(Alias.token):
        if reference in (alias.outputs["name"], alias.outputs["arn"]):
            return find_key(ledger, alias.outputs["targetKeyArn"])
    return None


class Alias(Behaviour):
    """A name of a key."""

    token = "aws:kms/alias:Alias"
    name_rule = NameRule(longest=256, prefix="alias/")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Starts with `alias/`, and not with the cloud's own."""
        name = inputs.get("name")
        if isinstance(name, str) and (
            not name.startswith("alias/") or name.startswith("alias/aws/")
        ):
            yield Failure("name", f"{name!r}: must begin with 'alias/' and not with 'alias/aws/'")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Of an existing key."""
        key = self._target(ledger, inputs)
        name = name_or_prefixed(inputs)
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError("AlreadyExistsException", f"An alias with the name {name} exists")
        return Created(
            name,
            {
                "arn": arn(site, "kms", name, region_of(site, inputs)),
                "name": name,
                "targetKeyArn": key.outputs["arn"],
            },
        )

    def _target(self, ledger: Ledger, inputs: Properties) -> Record:
        key = find_key(ledger, inputs["targetKeyId"])
        if key is None:
            raise CloudError("NotFoundException", f"Key '{inputs['targetKeyId']}' does not exist")
        return key

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """Of another existing key."""
        return {"targetKeyArn": self._target(ledger, inputs).outputs["arn"]}


class SecretContainer(Behaviour):
    """A secret, without its value."""

    token = SECRET
    name_rule = NameRule(longest=512)
    defaults: ClassVar[Mapping[str, Any]] = {
        "forceOverwriteReplicaSecret": False,
        "recoveryWindowInDays": 30,
    }

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name's form and the recovery window."""
        name = inputs.get("name")
        if isinstance(name, str) and not _SECRET_NAME.fullmatch(name):
            yield Failure("name", f"{name!r}: at most 512 letters, digits and /_+=.@-")
        days = inputs.get("recoveryWindowInDays")
        if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
            yield Failure("recoveryWindowInDays", f"{days} is not 0 and not in 7..30 (days)")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name; a deleted one keeps its name until its recovery window is over."""
        name, region = name_or_prefixed(inputs), region_of(site, inputs)
        self._refuse_taken(ledger, name, region, urn)
        secret_arn = _made_up_arn(site, name, region)
        return Created(
            secret_arn,
            {
                "arn": secret_arn,
                "name": name,
                "policy": inputs.get("policy", ""),
                "replicas": inputs.get("replicas", []),
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Make the real secret. What no program knows of is replaced."""
        if site.home is None:
            return {}
        api = local_api.client(site, "secretsmanager", record.region)
        name, suffix = record.outputs["name"], record.id.rpartition("-")[2]
        tags = [{"Key": _SUFFIX_TAG, "Value": suffix}]
        try:
            api.create_secret(Name=name, Tags=tags)
        except api.exceptions.ResourceExistsException:
            api.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            api.create_secret(Name=name, Tags=tags)
        return {}

    def _refuse_taken(self, ledger: Ledger, name: str, region: str, urn: str) -> None:
        for existing in ledger.find(self.token, name=name, region=region):
            if existing.urn != urn:
                raise CloudError(
                    "ResourceExistsException",
                    f"The operation failed because the secret {name} already exists.",
                )
            ledger.remove(self.token, existing.id)
        for deleted in ledger.find(_DELETED_SECRET, name=name, region=region):
            if deleted.outputs["until"] > now():
                raise CloudError(
                    "InvalidRequestException",
                    "You can't create this secret because a secret with this name is already "
                    f"scheduled for deletion ({name}, until {deleted.outputs['until']})",
                )
            ledger.remove(_DELETED_SECRET, deleted.id)

    def stop(self, site: Site, record: Record) -> None:
        """The value is gone at once: nothing here could recover it."""
        if site.home is not None:
            api = local_api.client(site, "secretsmanager", record.region)
            with suppress(api.exceptions.ResourceNotFoundException):
                api.delete_secret(SecretId=record.id, ForceDeleteWithoutRecovery=True)

    def after_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """The name is kept for as long as the cloud would keep the secret."""
        days = record.outputs["recoveryWindowInDays"]
        if days:
            until = datetime.now(UTC) + timedelta(days=days)
            kept = {
                "name": record.outputs["name"],
                "region": record.region,
                "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            }
            ledger.put(Record(_DELETED_SECRET, record.id, record.urn, record.region, {}, kept))

    def still_there(self, site: Site, record: Record) -> bool:
        """Ask the real one."""
        return _secret_is_there(site, record.id, record.region)


def _secret_is_there(site: Site, secret_arn: str, region: str) -> bool:
    if site.home is None:
        return True
    api = local_api.client(site, "secretsmanager", region)
    try:
        api.describe_secret(SecretId=secret_arn)
    except api.exceptions.ResourceNotFoundException:
        return False
    return True


def _made_up_arn(site: Site, name: str, region: str) -> str:
    suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(6))
    return arn(site, "secretsmanager", f"secret:{name}-{suffix}", region)


class SecretVersion(Behaviour):
    """A value of a secret."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Of an existing secret."""
        wanted = inputs["secretId"]
        found = ledger.get(SECRET, wanted)
        if found is None:
            found = next(iter(ledger.find(SECRET, name=wanted)), None)
        if found is None:
            raise CloudError(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
            )
        version = str(uuid.uuid4())
        return Created(
            f"{found.id}|{version}",
            {
                "arn": found.id,
                "secretArn": found.id,
                "hasSecretStringWo": "secretStringWo" in inputs,
                "versionId": version,
                "versionStages": inputs.get("versionStages", ["AWSCURRENT"]),
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Put the real value."""
        if site.home is None:
            return {}
        text = inputs.get("secretString") or inputs.get("secretStringWo")
        value: dict[str, Any] = {"SecretString": text}
        if "secretBinary" in inputs:
            value = {"SecretBinary": base64.b64decode(inputs["secretBinary"])}
        local_api.client(site, "secretsmanager", record.region).put_secret_value(
            SecretId=record.outputs["arn"],
            ClientRequestToken=record.outputs["versionId"],
            VersionStages=record.outputs["versionStages"],
            **value,
        )
        return {}

    def still_there(self, site: Site, record: Record) -> bool:
        """Gone with its secret."""
        return _secret_is_there(site, record.outputs["arn"], record.region)


class Parameter(Behaviour):
    """A value in the parameter store."""

    token = PARAMETER
    name_rule = NameRule()
    defaults: ClassVar[Mapping[str, Any]] = {"description": ""}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name's form."""
        name = inputs.get("name")
        if not isinstance(name, str):
            return
        if not _PARAMETER_NAME.fullmatch(name):
            yield Failure("name", f"{name!r}: letters, digits and _.- in parts separated by /")
        elif name.lstrip("/").lower().startswith(("aws", "ssm")):
            yield Failure("name", f"{name!r}: must not begin with 'aws' or 'ssm'")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Advanced parameters can't become standard ones."""
        if change.name == "tier":
            return bool(old.get("tier") == "Advanced" and new.get("tier") == "Standard")
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = inputs["name"]
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn and not inputs.get("overwrite"):
            raise CloudError("ParameterAlreadyExists", "The parameter already exists.")
        value = inputs.get("value") or inputs.get("insecureValue") or ""
        if len(value.encode()) > _STANDARD_PARAMETER_BYTES and inputs.get("tier") != "Advanced":
            raise CloudError(
                "ValidationException",
                "Standard tier parameters support a maximum parameter value of 4096 characters.",
            )
        resource = f"parameter/{name.lstrip('/')}"
        return Created(
            name,
            {
                "arn": arn(site, "ssm", resource, region_of(site, inputs)),
                "dataType": inputs.get("dataType", "text"),
                "hasValueWo": "valueWo" in inputs,
                "tier": inputs.get("tier", "Standard"),
                "version": 1,
            },
        )

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """Each change is a new version."""
        return {"version": record.outputs["version"] + 1}

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Put the real value."""
        if site.home is not None:
            value = next(
                inputs[name] for name in ("value", "insecureValue", "valueWo") if name in inputs
            )
            local_api.client(site, "ssm", record.region).put_parameter(
                Name=record.id, Value=value, Type=inputs["type"], Overwrite=True
            )
        return {}

    def adapt(self, site: Site, old: Record, new: Record, inputs: Properties) -> Properties:
        """Put the new value."""
        return self.start(site, new, inputs)

    def stop(self, site: Site, record: Record) -> None:
        """Remove the real one."""
        if site.home is not None:
            api = local_api.client(site, "ssm", record.region)
            with suppress(api.exceptions.ParameterNotFound):
                api.delete_parameter(Name=record.id)

    def still_there(self, site: Site, record: Record) -> bool:
        """Ask the real one."""
        if site.home is None:
            return True
        api = local_api.client(site, "ssm", record.region)
        try:
            api.get_parameter(Name=record.id)
        except api.exceptions.ParameterNotFound:
            return False
        return True


BEHAVIOURS: tuple[Behaviour, ...] = (
    Key(),
    Alias(),
    SecretContainer(),
    SecretVersion(),
    Parameter(),
)

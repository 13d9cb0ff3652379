"""ECR. Behind the account's registry stands a real one on this machine."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.parts import registry
from inkless_pulumi.sandbox.standin.aws.documents import check_document, with_documents_as_text
from inkless_pulumi.sandbox.standin.aws.shapes import arn, region_of
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.naming import NameRule

REPOSITORY = "aws:ecr/repository:Repository"
_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")


class Repository(Behaviour):
    """A repository of images."""

    token = REPOSITORY
    name_rule = NameRule(longest=256, change=str.lower)
    defaults: ClassVar[Mapping[str, Any]] = {
        "encryptionConfigurations": [{"encryptionType": "AES256"}],
        "imageTagMutability": "MUTABLE",
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name's form."""
        name = inputs.get("name")
        if isinstance(name, str) and not (_NAME.fullmatch(name) and 2 <= len(name) <= 256):
            yield Failure("name", f"{name!r}: lower-case letters and digits, joined by . _ - or /")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name, region = inputs["name"], region_of(site, inputs)
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id "
                f"'{site.account_id}'",
            )
        host = f"{site.account_id}.dkr.ecr.{region}.amazonaws.com"
        return Created(
            name,
            {
                "arn": arn(site, "ecr", f"repository/{name}", region),
                "registryId": site.account_id,
                "repositoryUrl": f"{host}/{name}",
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """At the sandbox's registry, with nothing in it."""
        if site.home is None:
            return {}
        registry.remove_repository(site.home, record.id)
        host = site.home.read_settings().get("registry")
        if host is None:
            raise CloudError(
                "SandboxNotRunning",
                "the sandbox does not run; start it: `inkless-pulumi sandbox up`",
            )
        return {"repositoryUrl": f"{host}/{record.id}"}

    def stop(self, site: Site, record: Record) -> None:
        """Remove it, with its images only if that was asked for."""
        if site.home is None:
            return
        if registry.images(site.home, record.id) and not record.outputs.get("forceDelete"):
            raise CloudError(
                "RepositoryNotEmptyException",
                f"The repository with name '{record.id}' in registry with id "
                f"'{site.account_id}' cannot be deleted because it still contains images",
            )
        registry.remove_repository(site.home, record.id)


class LifecyclePolicy(Behaviour):
    """Which images of a repository expire."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The policy is JSON."""
        yield from check_document("policy", inputs.get("policy"))

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Of an existing repository."""
        name = inputs["repository"]
        if ledger.get(REPOSITORY, name) is None:
            raise CloudError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id "
                f"'{site.account_id}'",
            )
        return Created(name, {"registryId": site.account_id})


BEHAVIOURS: tuple[Behaviour, ...] = (Repository(), LifecyclePolicy())

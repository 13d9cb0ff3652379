"""CloudWatch and SNS. A log group has a directory in the sandbox's home; the rest is recorded."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.documents import check_document
from inkless_pulumi.sandbox.standin.aws.shapes import arn, name_or_prefixed, region_of
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.naming import NameRule

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_LOG_GROUP_NAME = re.compile(r"[A-Za-z0-9_/.#-]{1,512}")
_RETENTION_DAYS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class LogGroup(Behaviour):
    """A group of logs."""

    token = LOG_GROUP
    name_rule = NameRule(longest=512)
    defaults: ClassVar[Mapping[str, Any]] = {"retentionInDays": 0, "skipDestroy": False}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name's form and the days the cloud offers."""
        name = inputs.get("name")
        if isinstance(name, str) and not _LOG_GROUP_NAME.fullmatch(name):
            yield Failure("name", f"{name!r}: at most 512 letters, digits and _/.#-")
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days not in _RETENTION_DAYS:
            offered = ", ".join(map(str, _RETENTION_DAYS))
            yield Failure("retentionInDays", f"{days} is not one of: {offered}")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = name_or_prefixed(inputs)
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError(
                "ResourceAlreadyExistsException", "The specified log group already exists"
            )
        return Created(
            name,
            {
                "arn": arn(site, "logs", f"log-group:{name}", region_of(site, inputs)),
                "name": name,
                "deletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False),
                "logGroupClass": inputs.get("logGroupClass", "STANDARD"),
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """A directory for what is logged."""
        if site.home is not None:
            site.home.log_group(record.id).mkdir(parents=True, exist_ok=True)
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Remove the directory."""
        if site.home is not None and not record.outputs.get("skipDestroy"):
            shutil.rmtree(site.home.log_group(record.id), ignore_errors=True)


class MetricAlarm(Behaviour):
    """An alarm."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    name_rule = NameRule()
    defaults: ClassVar[Mapping[str, Any]] = {
        "actionsEnabled": True,
        "treatMissingData": "missing",
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """A metric has a way to be counted and compared."""
        if "metricName" in inputs or "metricQueries" in inputs:
            for name in ("comparisonOperator", "evaluationPeriods"):
                if name not in inputs:
                    yield Failure(name, "must be given with 'metricName' or 'metricQueries'")
        if "metricName" in inputs and ("statistic" in inputs) == ("extendedStatistic" in inputs):
            yield Failure(
                "statistic", "exactly one of 'statistic' and 'extendedStatistic' must be given"
            )

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name; putting it again overwrites it, as the cloud does."""
        name = inputs["name"]
        path = f"alarm:{name}"
        return Created(
            name,
            {
                "arn": arn(site, "cloudwatch", path, region_of(site, inputs)),
                "evaluateLowSampleCountPercentiles": inputs.get(
                    "evaluateLowSampleCountPercentiles", ""
                ),
            },
        )


class Dashboard(Behaviour):
    """A dashboard."""

    token = "aws:cloudwatch/dashboard:Dashboard"

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The body is JSON with widgets."""
        body = inputs.get("dashboardBody")
        yield from check_document("dashboardBody", body)
        if isinstance(body, str):
            try:
                parsed = json.loads(body)
            except ValueError:
                return
            if isinstance(parsed, dict) and not isinstance(parsed.get("widgets"), list):
                yield Failure("dashboardBody", "has no array 'widgets'")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name; putting it again overwrites it, as the cloud does."""
        name = inputs["dashboardName"]
        path = f"dashboard/{name}"
        return Created(name, {"dashboardArn": arn(site, "cloudwatch", path, region="")})


class Topic(Behaviour):
    """A topic of notifications."""

    token = "aws:sns/topic:Topic"
    name_rule = NameRule(longest=256)
    defaults: ClassVar[Mapping[str, Any]] = {
        "contentBasedDeduplication": False,
        "fifoTopic": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """FIFO topics have their ending."""
        name = inputs.get("name")
        given = isinstance(name, str) and "name" not in inputs.get("__defaults", ())
        if given and inputs.get("fifoTopic") is True and not str(name).endswith(".fifo"):
            yield Failure("name", f"{name!r}: the name of a FIFO topic ends with '.fifo'")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name."""
        name = name_or_prefixed(inputs)
        topic_arn = arn(site, "sns", name, region_of(site, inputs))
        return Created(
            topic_arn,
            {
                "arn": topic_arn,
                "name": name,
                "owner": site.account_id,
                "policy": inputs.get("policy", '{"Version":"2008-10-17","Statement":[]}'),
                "signatureVersion": inputs.get("signatureVersion", 0),
                "tracingConfig": inputs.get("tracingConfig", "PassThrough"),
            },
        )


BEHAVIOURS: tuple[Behaviour, ...] = (LogGroup(), MetricAlarm(), Dashboard(), Topic())

"""S3 buckets and their settings. Behind a bucket stands a bucket of the local S3 server."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws import local_api
from inkless_pulumi.sandbox.standin.aws.documents import check_document, with_documents_as_text
from inkless_pulumi.sandbox.standin.aws.shapes import name_or_prefixed, region_of
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.naming import NameRule
from inkless_pulumi.sandbox.standin.wire import UNKNOWN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "aws:s3/bucket:Bucket"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_FORBIDDEN_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_FORBIDDEN_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_HOSTED_ZONES = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-central-1": "Z21DNDUVLTQW6Q",
}
_REGION_WITHOUT_CONSTRAINT = "us-east-1"
_OTHER_HOSTED_ZONE = "Z2F56UZL2M1ACD"


def check_bucket_name(path: str, name: Any) -> Iterator[Failure]:
    """S3's rules for general purpose bucket names."""
    if not isinstance(name, str):
        return
    if not _NAME.fullmatch(name):
        yield Failure(
            path,
            f"{name!r}: a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, "
            "and starts and ends with a letter or digit",
        )
    elif ".." in name or _ADDRESS.fullmatch(name):
        yield Failure(path, f"{name!r}: no two dots in a row, and not the form of an IP address")
    elif name.startswith(_FORBIDDEN_STARTS) or name.endswith(_FORBIDDEN_ENDS):
        yield Failure(path, f"{name!r} starts or ends with what S3 keeps for itself")


class Bucket(Behaviour):
    """A bucket."""

    token = BUCKET
    name_rule = NameRule(property="bucket", longest=63, change=str.lower)
    defaults: ClassVar[Mapping[str, Any]] = {"forceDestroy": False}

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The name's form."""
        yield from check_bucket_name("bucket", inputs.get("bucket"))
        yield from check_document("policy", inputs.get("policy"))

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name, in all accounts of the world."""
        name = name_or_prefixed(inputs, "bucket")
        existing = ledger.get(self.token, name)
        if existing is not None and existing.urn != urn:
            raise CloudError(
                "BucketAlreadyOwnedByYou",
                f"the bucket {name!r} exists and belongs to this account",
            )
        region = region_of(site, inputs)
        return Created(
            name,
            {
                "arn": f"arn:aws:s3:::{name}",
                "bucket": name,
                "bucketDomainName": f"{name}.s3.amazonaws.com",
                "bucketRegion": region,
                "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
                "hostedZoneId": _HOSTED_ZONES.get(region, _OTHER_HOSTED_ZONE),
                "bucketNamespace": inputs.get("bucketNamespace", "global"),
                "objectLockEnabled": inputs.get("objectLockEnabled", False),
                "requestPayer": inputs.get("requestPayer", "BucketOwner"),
            },
        )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Make the real bucket, empty."""
        if site.home is not None:
            api = local_api.client(site, "s3", record.region)
            if _exists(api, record.id):
                _empty(api, record.id)
            elif record.region == _REGION_WITHOUT_CONSTRAINT:
                api.create_bucket(Bucket=record.id)
            else:
                constraint: Any = {"LocationConstraint": record.region}
                api.create_bucket(Bucket=record.id, CreateBucketConfiguration=constraint)
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Remove the real bucket, with its objects only if that was asked for."""
        if site.home is None:
            return
        api = local_api.client(site, "s3", record.region)
        if not _exists(api, record.id):
            return
        if record.outputs.get("forceDestroy"):
            _empty(api, record.id)
        elif next(_versions(api, record.id), None) is not None:
            raise CloudError(
                "BucketNotEmpty",
                f"The bucket {record.id} you tried to delete is not empty. You must delete all "
                "versions in the bucket (or set forceDestroy)",
            )
        api.delete_bucket(Bucket=record.id)

    def still_there(self, site: Site, record: Record) -> bool:
        """Ask the real one."""
        return _bucket_is_there(site, record.id, record.region)


def _bucket_is_there(site: Site, bucket: str, region: str) -> bool:
    return site.home is None or _exists(local_api.client(site, "s3", region), bucket)


def _exists(api: "S3Client", bucket: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        api.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _versions(api: "S3Client", bucket: str) -> Iterator[tuple[str, str]]:
    for page in api.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for kind in ("Versions", "DeleteMarkers"):
            entries: Any = page.get(kind, [])
            for entry in entries:
                yield entry["Key"], entry["VersionId"]


def _empty(api: "S3Client", bucket: str) -> None:
    for key, version in list(_versions(api, bucket)):
        api.delete_object(Bucket=bucket, Key=key, VersionId=version)


class _BucketSetting(Behaviour):
    """A setting of a bucket: one of its kind a bucket, with the bucket's name for an id."""

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The bucket's name."""
        yield from check_bucket_name("bucket", inputs.get("bucket"))

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """On an existing bucket."""
        bucket = inputs["bucket"]
        if ledger.get(BUCKET, bucket) is None:
            raise CloudError("NoSuchBucket", f"the bucket {bucket!r} does not exist")
        return Created(bucket, {})

    def still_there(self, site: Site, record: Record) -> bool:
        """Gone with its bucket."""
        return _bucket_is_there(site, record.id, record.region)


class BucketPublicAccessBlock(_BucketSetting):
    """Whether a bucket can be made public."""

    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    defaults: ClassVar[Mapping[str, Any]] = {
        "blockPublicAcls": False,
        "blockPublicPolicy": False,
        "ignorePublicAcls": False,
        "restrictPublicBuckets": False,
    }


class BucketVersioning(_BucketSetting):
    """Whether a bucket keeps what is overwritten and deleted."""

    token = "aws:s3/bucketVersioning:BucketVersioning"

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """What was versioned can only be suspended."""
        before = record.inputs["versioningConfiguration"]["status"]
        after = inputs["versioningConfiguration"]["status"]
        if before != "Disabled" and after == "Disabled":
            raise CloudError(
                "InvalidArgument",
                f"versioningConfiguration.status cannot be updated from '{before}' to 'Disabled'",
            )
        return {}

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """The real bucket keeps versions too: what is deleted by mistake can be seen to survive."""
        status = inputs["versioningConfiguration"]["status"]
        if site.home is not None and status != "Disabled":
            local_api.client(site, "s3", record.region).put_bucket_versioning(
                Bucket=record.id, VersioningConfiguration={"Status": status}
            )
        return {}

    def adapt(self, site: Site, old: Record, new: Record, inputs: Properties) -> Properties:
        """Likewise."""
        return self.start(site, new, inputs)


class BucketServerSideEncryption(_BucketSetting):
    """How a bucket's objects are encrypted."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


class BucketPolicy(_BucketSetting):
    """Who may do what with a bucket."""

    token = "aws:s3/bucketPolicy:BucketPolicy"

    def normalise(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Policies as text."""
        return with_documents_as_text(inputs, "policy")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """The policy is JSON."""
        yield from super().check(inputs)
        yield from check_document("policy", inputs.get("policy"))


class BucketLifecycle(_BucketSetting):
    """What a bucket deletes or moves by itself."""

    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    defaults: ClassVar[Mapping[str, Any]] = {
        "expectedBucketOwner": "",
        "transitionDefaultMinimumObjectSize": "all_storage_classes_128K",
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """At least one rule, each with an id of its own."""
        yield from super().check(inputs)
        rules = inputs.get("rules")
        if rules is UNKNOWN:
            return
        if not rules:
            yield Failure("rules", "at least one rule must be given")
            return
        names = [rule.get("id") for rule in rules if isinstance(rule, dict)]
        for index, name in enumerate(names):
            if isinstance(name, str) and not 1 <= len(name) <= 255:
                yield Failure(f"rules[{index}].id", "must have 1 to 255 characters")
            if name in names[:index]:
                yield Failure(f"rules[{index}].id", f"{name!r} is the id of another rule")


class BucketOwnershipControls(_BucketSetting):
    """Who owns what others upload."""

    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"


BEHAVIOURS: tuple[Behaviour, ...] = (
    Bucket(),
    BucketPublicAccessBlock(),
    BucketVersioning(),
    BucketServerSideEncryption(),
    BucketPolicy(),
    BucketLifecycle(),
    BucketOwnershipControls(),
)

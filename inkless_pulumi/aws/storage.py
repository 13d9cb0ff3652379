"""Object storage on AWS: a bucket that keeps what Inkless puts there, and keeps it private."""

import json
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from inkless_pulumi.aws.arguments import argument_problems
from inkless_pulumi.aws.encryption import encryption_key
from inkless_pulumi.aws.errors import refuse
from inkless_pulumi.aws.scope import Scope, wire_names
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.storage_names import bucket_problems

DEFAULT_RESTORE_WINDOW_DAYS: Final = 7
_MARGIN_DAYS = 7
"""Time to notice that a restore is needed and to do it, before old versions begin to go."""
_UNFINISHED_UPLOAD_DAYS = 7


class S3StorageArgs(TypedDict):
    """A bucket for the diskless topics of a service. Every argument has a default."""

    bucket_name: NotRequired[str]
    """The bucket's name. Default: one is made from the component's name."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """The KMS key that encrypts the objects. Default: one is made."""
    restore_window_days: NotRequired[int]
    """How far back the service's database can be restored. Versions of deleted objects outlive it,
    because a restored database refers to them again. Default: 7."""
    deletion_protection: NotRequired[bool]
    """Whether the bucket refuses to be deleted. Without it, deleting the bucket deletes its
    objects. Default: true."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for everything the component creates."""


class S3Storage(pulumi.ComponentResource):
    """A bucket for the diskless topics of one Inkless service.

    Public access is blocked, plain HTTP is refused, objects are encrypted with a KMS key and
    versioned. No rule expires live objects: the brokers delete them when retention says so.

    Raises:
        InvalidDeclaration: there is no such argument, or its value is refused.
    """

    bucket: pulumi.Output[str]
    """The bucket's name."""
    bucket_arn: pulumi.Output[str]
    """The bucket's ARN."""
    kms_key_arn: pulumi.Output[str]
    """The ARN of the key that encrypts the objects."""

    def __init__(
        self,
        name: str,
        args: S3StorageArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        problems = argument_problems(args, S3StorageArgs)
        if "bucket_name" in args:
            problems += bucket_problems(args["bucket_name"], "bucket_name")
        if args.get("restore_window_days", DEFAULT_RESTORE_WINDOW_DAYS) < 1:
            rule = "must be 1 or more: a restored database needs what was deleted since"
            days = args["restore_window_days"]
            problems.append(Problem("restore_window_days", days, rule, "use 7, the default"))
        refuse(problems, f'storage "{name}"')
        super().__init__("inkless:aws:S3Storage", name, wire_names(args), opts)
        scope = Scope(name, self, args.get("deletion_protection", True), args.get("tags", {}))
        key_arn = encryption_key(scope, args.get("kms_key_arn"))
        bucket = _bucket(scope, args.get("bucket_name"))
        policy = _private(scope, bucket)
        _encrypted(scope, bucket, key_arn)
        # As a whole number: from another language it may arrive as a fraction.
        window = int(args.get("restore_window_days", DEFAULT_RESTORE_WINDOW_DAYS))
        _versioned(scope, bucket, window)
        # Through the policy, so that nothing is stored before the bucket is private.
        self.bucket = policy.bucket
        self.bucket_arn = bucket.arn
        self.kms_key_arn = key_arn
        self.register_outputs(
            wire_names(
                {
                    "bucket": self.bucket,
                    "bucket_arn": self.bucket_arn,
                    "kms_key_arn": self.kms_key_arn,
                }
            )
        )


def _bucket(scope: Scope, name: str | None) -> "aws.s3.Bucket":
    return aws.s3.Bucket(
        scope.named("bucket"),
        bucket=name,
        force_destroy=not scope.deletion_protection,
        tags=scope.tagged("bucket"),
        opts=scope.keeping_data(),
    )


def _private(scope: Scope, bucket: "aws.s3.Bucket") -> "aws.s3.BucketPolicy":
    """Block public access, let the account own every object, and refuse what is not TLS."""
    aws.s3.BucketOwnershipControls(
        scope.named("ownership"),
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=scope.options(),
    )
    block = aws.s3.BucketPublicAccessBlock(
        scope.named("public-access-block"),
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=scope.options(),
    )
    return aws.s3.BucketPolicy(
        scope.named("tls-only"),
        bucket=bucket.bucket,
        policy=bucket.arn.apply(_tls_only),
        # S3 refuses two changes of a bucket's access settings at the same time.
        opts=scope.options(depends_on=[block]),
    )


def _tls_only(bucket_arn: str) -> str:
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _encrypted(scope: Scope, bucket: "aws.s3.Bucket", key_arn: pulumi.Input[str]) -> None:
    aws.s3.BucketServerSideEncryptionConfiguration(
        scope.named("encryption"),
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": key_arn,
                },
                # One call to KMS for many objects, which a broker writes several of a second.
                "bucket_key_enabled": True,
            }
        ],
        opts=scope.options(),
    )


def _versioned(scope: Scope, bucket: "aws.s3.Bucket", restore_window_days: int) -> None:
    """Keep versions of deleted objects as long as the database can be restored, and some more.

    The brokers delete an object a minute after they marked it so (Inkless' file cleaner). A
    database restored to before that refers to the object, which then must be there.
    """
    versioning = aws.s3.BucketVersioning(
        scope.named("versioning"),
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=scope.options(),
    )
    aws.s3.BucketLifecycleConfiguration(
        scope.named("lifecycle"),
        bucket=bucket.bucket,
        rules=[
            {
                "id": "what-is-no-longer-referred-to",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {
                    "noncurrent_days": restore_window_days + _MARGIN_DAYS
                },
                # Only markers whose versions are all gone; no live object expires.
                "expiration": {"expired_object_delete_marker": True},
                "abort_incomplete_multipart_upload": {
                    "days_after_initiation": _UNFINISHED_UPLOAD_DAYS
                },
            }
        ],
        opts=scope.options(depends_on=[versioning]),
    )

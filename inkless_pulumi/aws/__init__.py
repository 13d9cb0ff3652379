"""Inkless on AWS: the service component and its storage backend.

Every module here uses the SDK as `import pulumi_aws as aws`: pulumi_aws loads a service's package
at its first use, so that importing this package costs little more than importing pulumi itself.
Classes of large packages of which nothing else is used are imported from their own module.
"""

from inkless_pulumi.aws.service import InklessService
from inkless_pulumi.aws.service_args import (
    ExistingDatabaseArgs,
    ExistingStorageArgs,
    InklessServiceArgs,
)
from inkless_pulumi.aws.storage import S3Storage, S3StorageArgs

__all__ = [
    "ExistingDatabaseArgs",
    "ExistingStorageArgs",
    "InklessService",
    "InklessServiceArgs",
    "S3Storage",
    "S3StorageArgs",
]

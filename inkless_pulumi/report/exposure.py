"""What opens a service in other ways than by a right: public buckets, ways in, users."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, joined, value_text
from inkless_pulumi.report.plan import Action, Hidden, Plan

__all__ = ["exposure_findings"]

_BLOCKS: Final = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_WAYS_IN: Final[Mapping[str, str]] = {
    "aws:ec2/internetGateway:InternetGateway": "The network gets a way to the internet",
    "aws:ec2/natGateway:NatGateway": "The network gets a way out to the internet",
    "aws:ec2/eip:Eip": "A public address is made",
}


def exposure_findings(plan: Plan) -> Iterator[Finding]:
    """What is told of buckets, databases, networks and users."""
    yield from _public_access(plan)
    yield from _users(plan)
    yield from _rotations(plan)


def _public_access(plan: Plan) -> Iterator[Finding]:
    for block in plan.of_type(_BLOCK):
        gone = [
            name
            for name in _BLOCKS
            if block.before(name) is True
            and (block.action is Action.DELETE or block.after(name) is not True)
        ]
        bucket_stays = any(not bucket.goes for bucket in plan.of_type("aws:s3/bucket:Bucket"))
        if gone and bucket_stays:
            yield Finding(
                "public-access-block-removed",
                "access",
                Level.DANGER,
                f"What keeps a bucket from being public is taken away ({code(block.name)}): "
                f"{joined(code(name) for name in gone)}",
                resources=(block.urn,),
                gates=("wider-access",),
                brief="a bucket may become public",
            )
    for database in plan.of_type("aws:rds/instance:Instance"):
        public = database.after("publiclyAccessible")
        if public not in (None, False) and public != database.before("publiclyAccessible"):
            yield Finding(
                "database-public",
                "access",
                Level.DANGER,
                f"The database {code(database.name)} gets a public address: "
                f"{code('publiclyAccessible')} is {value_text(public)}",
                gates=("wider-access",),
                brief="the database gets a public address",
            )
    for token, sentence in _WAYS_IN.items():
        made = [found for found in plan.of_type(token) if found.action is Action.CREATE]
        if made:
            yield Finding(
                "way-to-the-internet",
                "access",
                Level.WARNING,
                f"{sentence}: {joined(code(found.name) for found in made)}",
                resources=tuple(found.urn for found in made),
                gates=("wider-access",),
            )


def _users(plan: Plan) -> Iterator[Finding]:
    made = [found for found in plan.of_type("inkless:index:User") if found.action is Action.CREATE]
    if made:
        names = joined(_user(found.after("name")) for found in made)
        yield Finding(
            "user-created",
            "access",
            Level.INFO,
            f"{counted(len(made), 'user is', 'users are')} created, who may do nothing but what "
            f"access rules say: {names}",
            resources=tuple(found.urn for found in made),
        )


def _rotations(plan: Plan) -> Iterator[Finding]:
    for user in plan.of_type("inkless:index:User"):
        if user.action is Action.UPDATE and user.changes("rotation"):
            hours = user.after("overlapHours", 24)
            yield Finding(
                "password-rotates",
                "access",
                Level.NOTICE,
                f"{_user(user.after('name'))} gets a new password; the former one is good for "
                f"{value_text(hours)} hours more",
                resources=(user.urn,),
            )


def _user(name: Any) -> str:
    return str(name) if isinstance(name, Hidden) else code(name)

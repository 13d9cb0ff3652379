"""Removing from a registry what one resource pushed, and nothing that somebody else uses.

Two services may share a repository, and then share what is the same in their images. A manifest
goes only where no other tag of the repository leads to it. Amazon ECR is asked through its own API,
for it does not implement the removal of the registry API; every other registry through that.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from inkless_pulumi.core.errors import RegistryError
from inkless_pulumi.provider.aws_clients import aws_client, error_code, explanation
from inkless_pulumi.provider.image_assembly import offered_platforms
from inkless_pulumi.provider.registry import Registry
from inkless_pulumi.provider.registry_access import RegistryAccessInputs
from inkless_pulumi.provider.registry_session import RegistryNotFound
from inkless_pulumi.provider.resource import Context

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

_ECR_MOST_IMAGES_A_CALL = 100
_ECR_GONE = frozenset({"ImageNotFound", "ImageReferencedByManifestList"})


def remove_images(
    registry: Registry,
    repository: str,
    pushed: Mapping[str, Sequence[str]],
    access: RegistryAccessInputs,
    context: Context,
) -> None:
    """Remove `pushed` (tag to digests, indexes first); what is gone already is no error."""
    unused = unused_manifests(registry, repository, pushed)
    if access.kind == "ecr":
        region, profile = access.region or "", access.profile
        _remove_from_ecr(repository, [{"imageTag": tag} for tag in pushed], region, profile)
        _remove_from_ecr(repository, [{"imageDigest": d} for d in unused], region, profile)
    for digest in unused:
        if not registry.find_manifest(repository, digest):
            continue
        if not registry.delete_manifest(repository, digest):
            context.warn(
                f"The registry {registry.host} does not remove images, so {repository}@{digest} "
                "stays there. Remove it with the registry's own tools if it is in the way."
            )
            return


def unused_manifests(
    registry: Registry, repository: str, pushed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Which of `pushed` no other tag of the repository leads to; indexes first."""
    in_use: set[str] = set()
    for tag in registry.tags(repository):
        if tag in pushed:
            continue
        with suppress(RegistryNotFound):
            manifest = registry.get_manifest(repository, tag)
            in_use.add(manifest.digest)
            if manifest.is_index:
                in_use.update(offered_platforms(manifest).values())
    ordered = [digests[0] for digests in pushed.values() if digests]
    ordered += [digest for digests in pushed.values() for digest in digests[1:]]
    return [digest for digest in dict.fromkeys(ordered) if digest not in in_use]


def _remove_from_ecr(
    repository: str, images: Sequence["ImageIdentifierTypeDef"], region: str, profile: str | None
) -> None:
    for start in range(0, len(images), _ECR_MOST_IMAGES_A_CALL):
        some = images[start : start + _ECR_MOST_IMAGES_A_CALL]
        try:
            answer = aws_client("ecr", region, profile).batch_delete_image(
                repositoryName=repository, imageIds=some
            )
        except Exception as error:
            if error_code(error) == "RepositoryNotFoundException":
                return
            why = explanation(error, action="ecr:BatchDeleteImage", region=region, profile=profile)
            raise RegistryError(f"Could not remove images of {repository}: {why}") from error
        failed = [f for f in answer["failures"] if f.get("failureCode") not in _ECR_GONE]
        if failed:
            raise RegistryError(
                f"Amazon ECR in {region} did not remove {failed[0].get('imageId')} of "
                f"{repository}: {failed[0].get('failureReason')}. Remove it in ECR's console, "
                "then run this again."
            )

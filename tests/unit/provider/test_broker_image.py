"""BrokerImage against real registries: what is pushed, what is kept, what goes wrong and how."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from inkless_pulumi.core.errors import DeclarationError, RegistryError
from inkless_pulumi.provider import broker_image as module
from inkless_pulumi.provider.aws_clients import forget_clients
from inkless_pulumi.provider.broker_image import (
    BrokerImage,
    BrokerImageInputs,
    BrokerImageOutputs,
)
from inkless_pulumi.provider.overlay import Overlay
from inkless_pulumi.provider.registry import Blob, Registry, digest_of
from inkless_pulumi.provider.registry_access import RegistryAccessInputs
from inkless_pulumi.provider.registry_session import (
    RegistryNotFound,
    RegistrySession,
    RegistryUnreachable,
)
from inkless_pulumi.provider.resource import Context, OperationCancelled
from tests.unit.provider.registry_servers import docker_registry
from tests.unit.provider.upstream_images import VERSION, open_test_registry, push_image

BOTH = ["linux/amd64", "linux/arm64"]
NOWHERE = "127.0.0.1:1"
IMAGE = BrokerImage()


@pytest.fixture(scope="module")
def upstream_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("upstream")) as host:
        yield host


@pytest.fixture(scope="module")
def account_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("account")) as host:
        yield host


@pytest.fixture
def repository(account_host: str, request: pytest.FixtureRequest) -> str:
    """A repository of the account that no other test uses."""
    return f"{account_host}/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


@pytest.fixture(autouse=True)
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Overlay:
    """An overlay of one file, as the installed one; no Docker configuration."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker"))
    return install_overlay(tmp_path / "overlay", monkeypatch, b"#!/bin/sh\nexec java\n")


def install_overlay(root: Path, monkeypatch: pytest.MonkeyPatch, start: bytes) -> Overlay:
    file = root / "opt/inkless/bin/start"
    file.parent.mkdir(parents=True)
    file.write_bytes(start)
    overlay = Overlay(root, root / "none")
    monkeypatch.setattr(module, "find_overlay", lambda: overlay)
    return overlay


def declare(host: str, repository: str, **changes: Any) -> BrokerImageInputs:
    return BrokerImageInputs(
        **{
            "upstream": f"{host}/aiven/inkless:{VERSION}",
            "repository": repository,
            "registry": RegistryAccessInputs(kind="anonymous"),
            "platforms": BOTH,
            **changes,
        }
    )


def context(urn: str = "urn:pulumi:dev::shop::inkless:index:BrokerImage::image") -> Context:
    return Context("image", urn)


def create(inputs: BrokerImageInputs, **surroundings: Any) -> BrokerImageOutputs:
    return IMAGE.create(inputs, replace(context(), **surroundings)).outputs


def pull(reference: str, platform: str) -> tuple[dict[str, Any], list[bytes]]:
    """Configuration and layers, as a node of that platform would pull them."""
    name, _, digest = reference.partition("@")
    host, _, repository = name.partition("/")
    with open_test_registry(host) as registry:
        manifest = registry.get_manifest(repository, digest)
        if manifest.is_index:
            entry = next(
                entry
                for entry in manifest.document["manifests"]
                if "{os}/{architecture}".format_map(entry["platform"]) == platform
            )
            manifest = registry.get_manifest(repository, entry["digest"])
        contents = [
            b"".join(registry.read_blob(repository, Blob(part["digest"], part["size"])))
            for part in [manifest.document["config"], *manifest.document["layers"]]
        ]
    return json.loads(contents[0]), contents[1:]


# --- what is pushed


def test_each_platform_gets_its_layers_with_the_overlay_on_top(
    upstream_host: str, repository: str, overlay: Overlay
) -> None:
    upstream_digest = push_image(upstream_host)
    outputs = create(declare(upstream_host, repository))
    assert outputs.reference == f"{repository}@{outputs.digest}"
    assert outputs.upstream_digest == upstream_digest
    for platform in BOTH:
        configuration, layers = pull(outputs.reference, platform)
        assert layers[2] == f"binaries for {platform}".encode()
        with tarfile.open(fileobj=io.BytesIO(layers[-1]), mode="r:gz") as tar:
            assert "opt/inkless/bin/start" in tar.getnames()
        diff_id = "sha256:" + hashlib.sha256(gzip.decompress(layers[-1])).hexdigest()
        assert configuration["rootfs"]["diff_ids"][-1] == diff_id
        assert len(configuration["rootfs"]["diff_ids"]) == len(layers)
        assert len(configuration["history"]) == len(layers)
        assert configuration["config"]["Entrypoint"] == ["/opt/inkless/bin/start"]
        assert "Cmd" not in configuration["config"]
        assert configuration["config"]["User"] == "appuser"
        labels = configuration["config"]["Labels"]
        assert labels["maintainer"] == "Aiven"
        assert labels["io.inkless.version"] == VERSION
        assert labels["io.inkless.upstream"] == upstream_digest
        assert labels["io.inkless.overlay"] == overlay.digest


def test_one_platform_is_an_image_and_no_index(upstream_host: str, repository: str) -> None:
    push_image(upstream_host)
    outputs = create(declare(upstream_host, repository, platforms=["linux/arm64"]))
    configuration, _ = pull(outputs.reference, "linux/arm64")
    assert configuration["architecture"] == "arm64"
    assert [len(digests) for digests in outputs.pushed.values()] == [1]


def test_an_image_without_an_index_will_do_for_its_platform(
    upstream_host: str, repository: str
) -> None:
    push_image(upstream_host, "single", platforms=["linux/amd64"])
    upstream = f"{upstream_host}/single:{VERSION}"
    outputs = create(
        declare(upstream_host, repository, upstream=upstream, platforms=["linux/amd64"])
    )
    assert pull(outputs.reference, "linux/amd64")[0]["architecture"] == "amd64"


def test_an_image_in_docker_s_own_format_keeps_it(upstream_host: str, repository: str) -> None:
    push_image(upstream_host, "docker", docker=True)
    outputs = create(
        declare(upstream_host, repository, upstream=f"{upstream_host}/docker:{VERSION}")
    )
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        index = registry.get_manifest(path, outputs.digest)
        assert "docker" in index.media_type
        for digest in outputs.pushed.popitem()[1][1:]:
            manifest = registry.get_manifest(path, digest).document
            kinds = {layer["mediaType"] for layer in manifest["layers"]}
            assert kinds == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}


def test_the_image_has_a_tag_so_that_no_clean_up_rule_takes_it(
    upstream_host: str, repository: str, overlay: Overlay
) -> None:
    push_image(upstream_host)
    outputs = create(declare(upstream_host, repository))
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        (tag,) = registry.tags(path)
        assert registry.find_manifest(path, tag) == outputs.digest
    assert tag.startswith(f"{VERSION}-{overlay.digest[7:19]}-")


def test_the_same_upstream_and_overlay_give_the_same_digest_anywhere(
    upstream_host: str, account_host: str, repository: str
) -> None:
    push_image(upstream_host)
    push_image(upstream_host, "mirror/of/inkless")
    mirror = f"{upstream_host}/mirror/of/inkless:{VERSION}"
    one = create(declare(upstream_host, repository))
    other = create(
        declare(upstream_host, f"{account_host}/elsewhere", upstream=mirror, platforms=BOTH[::-1]),
        urn="urn:pulumi:prod::shop::inkless:index:BrokerImage::another",
    )
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("label", "diskless"), [({}, True), ({"io.inkless.diskless": "no"}, False)]
)
def test_an_image_is_diskless_unless_its_label_says_no(
    upstream_host: str, repository: str, label: Mapping[str, str], diskless: bool
) -> None:
    push_image(upstream_host, "labelled", labels=label)
    upstream = f"{upstream_host}/labelled:{VERSION}"
    assert create(declare(upstream_host, repository, upstream=upstream)).diskless is diskless


def test_progress_tells_layers_and_megabytes(upstream_host: str, repository: str) -> None:
    push_image(upstream_host, "large", layers=[os.urandom(3_000_000), os.urandom(2_000_000)])
    lines: list[str] = []
    create(
        declare(upstream_host, repository, upstream=f"{upstream_host}/large:{VERSION}"),
        progress=lines.append,
    )
    assert lines[0].startswith("resolving")
    assert "layer 1 of 4, 0 of 6 MB" in lines
    assert "layer 4 of 4, 5 of 6 MB" in lines


def test_an_upstream_in_the_account_s_own_registry_is_mounted(
    account_host: str, repository: str
) -> None:
    push_image(account_host, "stand-in", layers=[b"only here"])
    outputs = create(
        declare(account_host, repository, upstream=f"{account_host}/stand-in:{VERSION}")
    )
    assert pull(outputs.reference, "linux/amd64")[1][0] == b"only here"


# --- what is kept


class Counting(Registry):
    """A registry that remembers which blobs were read from it; `fail_at` fails one of them."""

    read: list[str]
    fail_at: int | None

    def read_blob(self, repository: str, blob: Blob) -> Iterator[bytes]:
        Counting.read.append(blob.digest)
        if len(Counting.read) == Counting.fail_at:
            raise RegistryUnreachable("the network went away")
        return super().read_blob(repository, blob)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    Counting.read, Counting.fail_at = [], None
    monkeypatch.setattr("inkless_pulumi.provider.registry.Registry", Counting)
    return Counting


def test_an_interrupted_copy_goes_on_with_what_is_missing(
    upstream_host: str, repository: str, counting: type[Counting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkless_pulumi.provider.image_copy.PARALLEL_BLOBS", 1)
    layers = [f"layer {number}".encode() for number in range(5)]
    push_image(upstream_host, "interrupted", platforms=["linux/arm64"], layers=layers)
    inputs = declare(
        upstream_host,
        repository,
        upstream=f"{upstream_host}/interrupted:{VERSION}",
        platforms=["linux/arm64"],
    )
    counting.fail_at = 5  # the configuration (read twice) and two layers go well
    with pytest.raises(RegistryUnreachable):
        create(inputs)
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        arrived = {digest for digest in map(digest_of, layers) if registry.has_blob(path, digest)}
    counting.read, counting.fail_at = [], None
    create(inputs)
    assert len(arrived) >= 2
    assert set(counting.read) & set(map(digest_of, layers)) == set(map(digest_of, layers)) - arrived


def test_a_cancelled_copy_stops(upstream_host: str, repository: str) -> None:
    push_image(upstream_host)
    cancelled = threading.Event()

    def stop(_line: str) -> None:
        cancelled.set()

    with pytest.raises(OperationCancelled):
        create(declare(upstream_host, repository), progress=stop, cancelled=cancelled)


def test_a_second_create_copies_no_layer(
    upstream_host: str, repository: str, counting: type[Counting]
) -> None:
    push_image(upstream_host, layers=[b"kafka of the second create"])
    first = create(declare(upstream_host, repository))
    counting.read = []
    assert create(declare(upstream_host, repository)) == first
    assert digest_of(b"kafka of the second create") not in counting.read


def test_a_new_overlay_keeps_the_upstream_that_was_resolved(
    upstream_host: str, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_image(upstream_host, "moved", layers=[b"first"])
    inputs = declare(upstream_host, repository, upstream=f"{upstream_host}/moved:{VERSION}")
    before = create(inputs)
    push_image(upstream_host, "moved", layers=[b"the tag was moved"])
    install_overlay(tmp_path / "new", monkeypatch, b"#!/bin/sh\nexec java -server\n")
    wanted = inputs.model_copy(update=IMAGE.defaults({}))
    after = IMAGE.update("id", inputs, before, wanted, context())
    assert after.digest != before.digest
    assert after.upstream_digest == before.upstream_digest
    assert pull(after.reference, "linux/amd64")[1][0] == b"first"
    assert pull(before.reference, "linux/amd64"), "nodes that are not rolled yet still pull it"
    assert set(before.pushed) < set(after.pushed)


def test_another_login_changes_nothing(repository: str) -> None:
    inputs = declare(NOWHERE, repository)
    outputs = outputs_of(inputs)
    other = inputs.model_copy(update={"registry": RegistryAccessInputs(kind="ecr", region="x")})
    assert IMAGE.update("id", inputs, outputs, other, context()) == outputs


def outputs_of(inputs: BrokerImageInputs) -> BrokerImageOutputs:
    return BrokerImageOutputs(
        reference=f"{inputs.repository}@{digest_of(b'')}",
        digest=digest_of(b""),
        upstream_digest=digest_of(b""),
        diskless=True,
        recipe=module._recipe(inputs.upstream, inputs.platforms, inputs.overlay_digest),
        pushed={},
    )


# --- preview


def known(inputs: BrokerImageInputs) -> dict[str, object]:
    values = {name: getattr(inputs, name) for name in type(inputs).model_fields}
    return {**values, **IMAGE.defaults(values)}


def test_a_preview_without_a_network_knows_no_digest_and_is_no_error(repository: str) -> None:
    assert IMAGE.preview(known(declare(NOWHERE, repository)), None) == {}


def test_a_preview_without_a_change_keeps_the_digest(repository: str) -> None:
    values = known(declare(NOWHERE, repository))
    prior = outputs_of(BrokerImageInputs.model_validate(values))
    assert IMAGE.preview(values, prior) == dict(prior)


def test_a_preview_of_another_version_knows_no_digest(repository: str) -> None:
    values = known(declare(NOWHERE, repository))
    prior = outputs_of(BrokerImageInputs.model_validate(values))
    changed = {**values, "upstream": f"{NOWHERE}/aiven/inkless:4.1.2-0.47"}
    assert IMAGE.preview(changed, prior) == {}


def test_a_preview_works_while_the_repository_is_not_known_yet(upstream_host: str) -> None:
    push_image(upstream_host)
    values = known(declare(upstream_host, "x"))
    del values["repository"]
    assert IMAGE.preview(values, None) == {}


def test_a_lacking_platform_is_an_error_at_preview_that_names_those_there_are(
    upstream_host: str, repository: str
) -> None:
    push_image(upstream_host, "amd64-only", platforms=["linux/amd64"])
    upstream = f"{upstream_host}/amd64-only:{VERSION}"
    inputs = declare(upstream_host, repository, upstream=upstream)
    with pytest.raises(DeclarationError) as raised:
        IMAGE.preview(known(inputs), None)
    (problem,) = raised.value.problems
    assert problem.path == "platforms[1]"
    assert problem.value == "linux/arm64"
    assert problem.rule == f"{upstream} has no linux/arm64 image, only linux/amd64"
    with pytest.raises(DeclarationError):
        create(inputs)
    assert no_tags(repository)


def no_tags(repository: str) -> bool:
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        return registry.tags(path) == []


def test_an_upstream_that_does_not_exist_is_an_error_at_preview(
    upstream_host: str, repository: str
) -> None:
    inputs = declare(upstream_host, repository, upstream=f"{upstream_host}/aiven/none:9.9.9-0.1")
    with pytest.raises(RegistryNotFound, match=r"aiven/none:9\.9\.9-0\.1"):
        IMAGE.preview(known(inputs), None)


def test_another_overlay_than_the_installed_one_is_refused_at_preview(repository: str) -> None:
    values = {**known(declare(NOWHERE, repository)), "overlay_digest": digest_of(b"other")}
    with pytest.raises(DeclarationError, match=r"overlay_digest.*the installed package's overlay"):
        IMAGE.preview(values, None)


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"upstream": "inkless:4.2.1-0.47"}, "upstream", "host name of its registry"),
        ({"upstream": "ghcr.io/aiven/inkless:latest"}, "upstream", "does not pin a version"),
        ({"repository": "inkless"}, "repository", "host name of its registry"),
        ({"repository": "127.0.0.1:1/a:1.0"}, "repository", "has a tag or digest"),
        ({"platforms": []}, "platforms", "at least one platform"),
        ({"platforms": ["linux/arm64", "arm64"]}, "platforms[1]", "not a platform of nodes"),
        ({"registry": RegistryAccessInputs(kind="ecr")}, "registry.region", "asked in a region"),
    ],
)
def test_what_is_wrong_is_told_with_its_argument(
    change: dict[str, Any], path: str, rule: str
) -> None:
    sound = declare("ghcr.io", "127.0.0.1:1/inkless")
    inputs = sound.model_copy(update=change)
    (problem,) = IMAGE.check(known(inputs), None)
    assert problem.path == path
    assert rule in problem.rule
    assert problem.remedy


def test_a_sound_declaration_has_no_problem() -> None:
    inputs = declare("ghcr.io", "127.0.0.1:1/inkless")
    assert list(IMAGE.check(known(inputs), None)) == []
    assert list(IMAGE.check({}, None)) == [], "nothing is known yet"


# --- what goes wrong


def test_an_unreachable_registry_of_the_account_is_told_before_anything_is_fetched(
    upstream_host: str, counting: type[Counting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "pause", lambda _self, _seconds: None)
    with pytest.raises(RegistryUnreachable, match=f"registry {NOWHERE} could not be reached"):
        create(declare(upstream_host, f"{NOWHERE}/inkless"))
    assert counting.read == []


def test_an_unreachable_upstream_is_an_error_at_up(
    repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "pause", lambda _self, _seconds: None)
    with pytest.raises(RegistryUnreachable, match=f"registry {NOWHERE} could not be reached"):
        create(declare(NOWHERE, repository))
    assert no_tags(repository)


def test_a_corrupted_layer_stops_everything_before_it_is_pushed(
    upstream_host: str, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_image(upstream_host, "corrupted", platforms=["linux/arm64"], layers=[b"good layer"])
    session_stream = RegistrySession.stream

    class Corrupting:
        """The answer to the layer's request, with one bit changed on the way."""

        def __init__(self, response: Any) -> None:
            self.status_code = response.status_code

        def iter_raw(self) -> Iterator[bytes]:
            yield b"good layes"

    @contextmanager
    def stream(self: RegistrySession, call: Any, *, expect: Any) -> Iterator[Any]:
        with session_stream(self, call, expect=expect) as response:
            corrupt = call.method == "GET" and call.url.endswith(digest_of(b"good layer"))
            yield Corrupting(response) if corrupt else response

    monkeypatch.setattr(RegistrySession, "stream", stream)
    upstream = f"{upstream_host}/corrupted:{VERSION}"
    with pytest.raises(RegistryError, match="corrupted"):
        create(declare(upstream_host, repository, upstream=upstream, platforms=["linux/arm64"]))
    monkeypatch.undo()
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        assert not registry.has_blob(path, digest_of(b"good layer"))
    assert no_tags(repository)


# --- read, import, delete


def test_a_refresh_finds_the_image_as_it_is(upstream_host: str, repository: str) -> None:
    push_image(upstream_host)
    inputs = declare(upstream_host, repository)
    outputs = create(inputs)
    assert IMAGE.read(outputs.reference, inputs, outputs, context()) == (inputs, outputs)


def test_a_refresh_sees_that_the_image_or_one_of_its_platforms_is_gone(
    upstream_host: str, repository: str
) -> None:
    push_image(upstream_host)
    inputs = declare(upstream_host, repository)
    outputs = create(inputs)
    ((_, *platform_digests),) = outputs.pushed.values()
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        registry.delete_manifest(path, platform_digests[0])
    assert IMAGE.read(outputs.reference, inputs, outputs, context()) is None


def test_an_import_tells_what_the_image_was_made_from(
    upstream_host: str, repository: str, overlay: Overlay
) -> None:
    push_image(upstream_host)
    outputs = create(declare(upstream_host, repository))
    found = IMAGE.read(outputs.reference, None, None, context())
    assert found is not None
    inputs, imported = found
    assert inputs.upstream == f"ghcr.io/aiven/inkless:{VERSION}"
    assert inputs.repository == repository
    assert inputs.registry.kind == "anonymous"
    assert inputs.platforms == BOTH
    assert inputs.overlay_digest == overlay.digest
    assert imported.digest == outputs.digest
    assert imported.upstream_digest == outputs.upstream_digest
    assert imported.pushed == outputs.pushed


def test_an_import_of_what_is_no_image_of_ours_finds_nothing(
    upstream_host: str,
) -> None:
    push_image(upstream_host)
    assert IMAGE.read(f"{upstream_host}/aiven/inkless:{VERSION}", None, None, context()) is None


def test_deleting_removes_everything_that_was_ever_pushed(
    upstream_host: str, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_image(upstream_host)
    inputs = declare(upstream_host, repository)
    before = create(inputs)
    install_overlay(tmp_path / "new", monkeypatch, b"#!/bin/sh\n# new\n")
    wanted = inputs.model_copy(update=IMAGE.defaults({}))
    after = IMAGE.update("id", inputs, before, wanted, context())
    IMAGE.delete("id", wanted, after, context())
    host, _, path = repository.partition("/")
    with open_test_registry(host) as registry:
        digests = [digest for pushed in after.pushed.values() for digest in pushed]
        left = [digest for digest in digests if registry.find_manifest(path, digest)]
    assert left == []
    IMAGE.delete("id", wanted, after, context())  # what is gone already is no error


def test_deleting_leaves_what_another_resource_shares_in_the_repository(
    upstream_host: str, repository: str
) -> None:
    push_image(upstream_host)
    both, one = declare(upstream_host, repository), declare(upstream_host, repository)
    one = one.model_copy(update={"platforms": ["linux/arm64"]})
    mine = create(both)
    theirs = create(one, urn="urn:pulumi:dev::shop::inkless:index:BrokerImage::other")
    IMAGE.delete("id", both, mine, context())
    assert pull(theirs.reference, "linux/arm64")
    assert IMAGE.read(mine.reference, both, mine, context()) is None


def test_a_registry_that_removes_nothing_costs_a_warning(
    upstream_host: str, tmp_path: Path
) -> None:
    push_image(upstream_host)
    warnings: list[str] = []
    with docker_registry(tmp_path / "keeper", delete=False) as host:
        inputs = declare(upstream_host, f"{host}/inkless")
        outputs = create(inputs)
        IMAGE.delete("id", inputs, outputs, replace(context(), warn=warnings.append))
    (warning,) = warnings
    assert "does not remove images" in warning


# --- Amazon ECR


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    forget_clients()
    with mock_aws():
        yield boto3.client("ecr", region_name="eu-central-1")
    forget_clients()


def test_an_ecr_repository_is_pushed_to_and_cleaned_through_ecr_s_own_api(
    upstream_host: str, repository: str, ecr: Any
) -> None:
    push_image(upstream_host)
    access = RegistryAccessInputs(kind="ecr", region="eu-central-1")
    inputs = declare(upstream_host, repository, registry=access)
    outputs = create(inputs)
    ((tag, digests),) = outputs.pushed.items()
    path = repository.partition("/")[2]
    ecr.create_repository(repositoryName=path)
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "x", "layers": [], "config": {}})
    ecr.put_image(repositoryName=path, imageManifest=manifest, imageTag=tag)
    ecr.put_image(repositoryName=path, imageManifest=manifest, imageTag="theirs")
    IMAGE.delete("id", inputs, outputs, context())
    left = ecr.list_images(repositoryName=path)["imageIds"]
    assert [image["imageTag"] for image in left] == ["theirs"]
    assert len(digests) == 3


def test_an_ecr_repository_that_is_gone_already_is_no_error(
    upstream_host: str, repository: str, ecr: Any
) -> None:
    push_image(upstream_host)
    access = RegistryAccessInputs(kind="ecr", region="eu-central-1")
    inputs = declare(upstream_host, repository, registry=access)
    IMAGE.delete("id", inputs, create(inputs), context())
    assert ecr.describe_repositories()["repositories"] == []

"""The machine images that the cloud publishes: Amazon Linux 2023, one an architecture."""

import hashlib
import re

from inkless_pulumi.sandbox.standin.behaviour import CloudError, Properties, Site

_PARAMETER = re.compile(
    r"/aws/service/ami-amazon-linux-latest/al2023-ami-(?:minimal-)?kernel-(?:default|6\.\d+)-"
    r"(?P<architecture>arm64|x86_64)"
)
_RELEASE = "2023.9.20251117.1"
ARCHITECTURES = ("arm64", "x86_64")


def image_id(region: str, architecture: str) -> str:
    """The id of the published image: the same for the same region and architecture."""
    digest = hashlib.sha256(f"{region}/{architecture}/{_RELEASE}".encode()).hexdigest()
    return f"ami-0{digest[:16]}"


def public_parameter(name: str, region: str) -> str | None:
    """The value of a parameter that the cloud publishes; None when it publishes none such."""
    match = _PARAMETER.fullmatch(name)
    return image_id(region, match["architecture"]) if match else None


def find_image(site: Site, arguments: Properties) -> Properties:
    """The published image, for `getAmi`: by architecture, of Amazon's."""
    region = str(arguments.get("region", site.region))
    owners = arguments.get("owners", [])
    if not set(owners) <= {"amazon", "137112412989"}:
        raise CloudError("NotEmulated", "a sandbox has images of the owner 'amazon' only")
    wanted = "x86_64"
    for entry in arguments.get("filters", []):
        if entry["name"] == "architecture":
            wanted = entry["values"][0]
        elif entry["name"] not in ("name", "state", "virtualization-type", "root-device-type"):
            raise CloudError("NotEmulated", f"the filter {entry['name']!r} is not emulated")
    if wanted not in ARCHITECTURES:
        raise CloudError("NotFound", "Your query returned no results.")
    found = image_id(region, wanted)
    return {
        **arguments,
        "id": found,
        "imageId": found,
        "architecture": wanted,
        "arn": f"arn:aws:ec2:{region}::image/{found}",
        "blockDeviceMappings": [],
        "bootMode": "uefi-preferred",
        "creationDate": "2025-11-17T20:00:00.000Z",
        "deprecationTime": "",
        "description": f"Amazon Linux 2023 AMI {_RELEASE} {wanted} HVM kernel-6.1",
        "enaSupport": True,
        "hypervisor": "xen",
        "imageLocation": f"amazon/al2023-ami-{_RELEASE}-kernel-6.1-{wanted}",
        "imageOwnerAlias": "amazon",
        "imageType": "machine",
        "imdsSupport": "v2.0",
        "kernelId": "",
        "lastLaunchedTime": "",
        "name": f"al2023-ami-{_RELEASE}-kernel-6.1-{wanted}",
        "ownerId": "137112412989",
        "platform": "",
        "platformDetails": "Linux/UNIX",
        "productCodes": [],
        "public": True,
        "ramdiskId": "",
        "region": region,
        "rootDeviceName": "/dev/xvda",
        "rootDeviceType": "ebs",
        "rootSnapshotId": "",
        "sriovNetSupport": "simple",
        "state": "available",
        "stateReason": {},
        "tags": {},
        "tpmSupport": "",
        "uefiData": "",
        "usageOperation": "RunInstances",
        "virtualizationType": "hvm",
    }

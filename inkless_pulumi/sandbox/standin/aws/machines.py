"""Instances and their volumes.

Behind an instance stands a real machine (a container that executes the instance's own user data),
behind a volume a directory, unless everything is recorded only.
"""

import base64
import binascii
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.interfaces import NetworkInterface
from inkless_pulumi.sandbox.standin.aws.network import (
    NETWORK_INTERFACE,
    SECURITY_GROUP,
    SUBNET,
)
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    lookup,
    new_id,
    now,
    region_of,
    stable_id,
    zones_of,
)
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.differences import Change

INSTANCE = "aws:ec2/instance:Instance"
VOLUME = "aws:ebs/volume:Volume"
VOLUME_ATTACHMENT = "aws:ec2/volumeAttachment:VolumeAttachment"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"
MOST_USER_DATA_BYTES = 16384
_ARM_FAMILY_SUFFIXES = ("g", "gd", "gn", "gen", "gb")


def architecture_of(instance_type: str) -> str:
    """`arm64` or `x86_64`: Graviton families have a `g` after their generation (`m7g`)."""
    family = instance_type.partition(".")[0]
    after_generation = family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    if family == "a1" or after_generation.startswith(_ARM_FAMILY_SUFFIXES):
        return "arm64"
    return "x86_64"


class Instance(Behaviour):
    """A virtual machine."""

    token = INSTANCE
    defaults: ClassVar[Mapping[str, Any]] = {
        "getPasswordData": False,
        "sourceDestCheck": True,
        "userDataReplaceOnChange": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Image and user data have the cloud's form and size."""
        image = inputs.get("ami")
        if isinstance(image, str) and not image.startswith("ami-"):
            yield Failure("ami", f"{image!r} is not an image id: ami-…")
        text = inputs.get("userDataBase64")
        if isinstance(text, str):
            try:
                size = len(base64.b64decode(text, validate=True))
            except binascii.Error as error:
                yield Failure("userDataBase64", f"not base64: {error}")
                return
            if size > MOST_USER_DATA_BYTES:
                yield Failure(
                    "userDataBase64", f"{size} bytes; the limit is {MOST_USER_DATA_BYTES}"
                )
        plain = inputs.get("userData")
        if isinstance(plain, str) and len(plain.encode()) > MOST_USER_DATA_BYTES:
            yield Failure("userData", f"longer than the limit of {MOST_USER_DATA_BYTES} bytes")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """User data replaces if asked to, a type of another architecture always."""
        if change.name in ("userData", "userDataBase64"):
            return bool(new.get("userDataReplaceOnChange", False))
        if change.name == "instanceType":
            before, after = old.get("instanceType"), new.get("instanceType")
            known = isinstance(before, str) and isinstance(after, str)
            return known and architecture_of(str(before)) != architecture_of(str(after))
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """On its own interface or on one made with it, in that subnet's zone."""
        region = region_of(site, inputs)
        self._refuse_unknown_profile(ledger, inputs)
        interface, subnet = self._interface(ledger, site, inputs, urn)
        zone = subnet.outputs["availabilityZone"]
        if inputs.get("availabilityZone", zone) != zone:
            raise CloudError(
                "InvalidParameterValue",
                f"availabilityZone is {inputs['availabilityZone']}, but {subnet.id} is in {zone}",
            )
        if zone not in zones_of(region):
            raise CloudError("InvalidSubnetID.NotFound", f"{subnet.id} is not in {region}")
        instance_id = new_id("i")
        address = interface.outputs["privateIp"]
        return Created(
            instance_id,
            {
                "arn": arn(site, "ec2", f"instance/{instance_id}", region),
                "availabilityZone": zone,
                "instanceState": "running",
                "primaryNetworkInterfaceId": interface.id,
                "privateDns": interface.outputs["privateDnsName"],
                "privateIp": address,
                "publicDns": "",
                "publicIp": "",
                "subnetId": subnet.id,
                "vpcSecurityGroupIds": interface.outputs["securityGroups"],
                "ebsOptimized": inputs.get("ebsOptimized", False),
                "monitoring": inputs.get("monitoring", False),
                "tenancy": inputs.get("tenancy", "default"),
                "disableApiTermination": inputs.get("disableApiTermination", False),
                "disableApiStop": inputs.get("disableApiStop", False),
                "instanceInitiatedShutdownBehavior": inputs.get(
                    "instanceInitiatedShutdownBehavior", "stop"
                ),
                "rootBlockDevice": self._root_device(inputs),
            },
        )

    def _refuse_unknown_profile(self, ledger: Ledger, inputs: Properties) -> None:
        profile = inputs.get("iamInstanceProfile")
        if profile is None:
            return
        if not any(profile in (found.id, found.outputs["arn"]) for found in ledger.find(PROFILE)):
            raise CloudError(
                "InvalidParameterValue",
                f"Value ({profile}) for parameter iamInstanceProfile.name is invalid. "
                "Invalid IAM Instance Profile name",
            )

    def _interface(
        self, ledger: Ledger, site: Site, inputs: Properties, urn: str
    ) -> tuple[Record, Record]:
        given = inputs.get("primaryNetworkInterface", {}).get("networkInterfaceId")
        if given is None:
            given = next(
                (item["networkInterfaceId"] for item in inputs.get("networkInterfaces", [])), None
            )
        if given is not None:
            interface = lookup(
                ledger, NETWORK_INTERFACE, given, "InvalidNetworkInterfaceID.NotFound"
            )
            for other in ledger.find(INSTANCE, primaryNetworkInterfaceId=given):
                raise CloudError(
                    "InvalidNetworkInterface.InUse",
                    f"The network interface '{given}' is in use by {other.id}",
                )
        else:
            interface = self._own_interface(ledger, site, inputs, urn)
        subnet = lookup(ledger, SUBNET, interface.outputs["subnetId"], "InvalidSubnetID.NotFound")
        return interface, subnet

    def _own_interface(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Record:
        if "subnetId" not in inputs:
            raise CloudError(
                "MissingInput", "No subnets found for the default VPC; the account has none"
            )
        for group in inputs.get("vpcSecurityGroupIds", []):
            lookup(ledger, SECURITY_GROUP, group, "InvalidGroup.NotFound")
        wanted = {"subnetId": inputs["subnetId"]}
        if "privateIp" in inputs:
            wanted["privateIps"] = [inputs["privateIp"]]
        if "vpcSecurityGroupIds" in inputs:
            wanted["securityGroups"] = inputs["vpcSecurityGroupIds"]
        made = NetworkInterface().create(ledger, site, wanted, urn)
        record = Record(
            token=NETWORK_INTERFACE,
            id=made.id,
            urn=urn,
            region=region_of(site, inputs),
            inputs=wanted,
            outputs={**wanted, **made.outputs},
        )
        ledger.put(record)
        return record

    def _root_device(self, inputs: Properties) -> Properties:
        device = {
            "deleteOnTermination": True,
            "deviceName": "/dev/xvda",
            "encrypted": False,
            "iops": 3000,
            "throughput": 125,
            "volumeSize": 8,
            "volumeType": "gp3",
            "volumeId": new_id("vol"),
        }
        return device | dict(inputs.get("rootBlockDevice", {}))

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Termination may be disabled."""
        protected = record.outputs.get("disableApiTermination")
        if protected and not record.inputs.get("forceDestroy", False):
            raise CloudError(
                "OperationNotPermitted",
                f"The instance '{record.id}' may not be terminated. Modify its "
                "'disableApiTermination' instance attribute and try again.",
            )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Boot the real machine; like the cloud, this does not wait for what it boots into."""
        if site.home is not None:
            machine.start(site.home, _machine_of(record))
        return {}

    def adapt(self, site: Site, old: Record, new: Record, inputs: Properties) -> Properties:
        """Other user data or another size needs a stop and a start; it is not a first boot."""
        if site.home is None:
            return {}
        restarting = ("instanceType", "userData", "userDataBase64")
        if any(old.outputs.get(name) != new.outputs.get(name) for name in restarting):
            machine.stop(site.home, new.id)
            machine.start(site.home, _machine_of(new))
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Shut the real machine down and remove its disk."""
        if site.home is not None:
            machine.terminate(site.home, record.id)

    def after_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """The interface that was made with it goes with it."""
        interface = ledger.get(NETWORK_INTERFACE, record.outputs["primaryNetworkInterfaceId"])
        if interface is not None and interface.urn == record.urn:
            ledger.remove(NETWORK_INTERFACE, interface.id)


def _machine_of(record: Record) -> machine.InstanceSpec:
    outputs = record.outputs
    plain = base64.b64encode(outputs.get("userData", "").encode()).decode()
    return machine.InstanceSpec(
        instance_id=record.id,
        user_data=outputs.get("userDataBase64", plain),
        address=outputs["privateIp"],
    )


class Volume(Behaviour):
    """A disk."""

    token = VOLUME
    defaults: ClassVar[Mapping[str, Any]] = {"finalSnapshot": False}

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Performance settings go with the types that have them."""
        kind = inputs.get("type", "gp2")
        if kind in ("io1", "io2") and "iops" not in inputs:
            yield Failure("iops", f"must be given for type {kind!r}")
        if "iops" in inputs and isinstance(kind, str) and kind not in ("io1", "io2", "gp3"):
            yield Failure("iops", f"type {kind!r} has none; only io1, io2 and gp3 do")
        throughput = inputs.get("throughput")
        if isinstance(throughput, int):
            if isinstance(kind, str) and kind != "gp3":
                yield Failure("throughput", f"type {kind!r} has none; only gp3 does")
            elif not 125 <= throughput <= 2000:
                yield Failure("throughput", f"{throughput} is not in 125..2000 (MiB/s)")
        if inputs.get("multiAttachEnabled") is True and kind not in ("io1", "io2"):
            yield Failure("multiAttachEnabled", "only types io1 and io2 can")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In a zone of the region."""
        region = region_of(site, inputs)
        if inputs["availabilityZone"] not in zones_of(region):
            raise CloudError(
                "InvalidZone.NotFound", f"The zone '{inputs['availabilityZone']}' does not exist."
            )
        volume_id = new_id("vol")
        kind = inputs.get("type", "gp2")
        speed = {"gp3": {"iops": 3000, "throughput": 125}, "gp2": {"iops": 100}}.get(kind, {})
        return Created(
            volume_id,
            {
                "arn": arn(site, "ec2", f"volume/{volume_id}", region),
                "createTime": now(),
                "encrypted": inputs.get("encrypted", False),
                "type": kind,
                **{name: inputs.get(name, value) for name, value in speed.items()},
            },
        )

    def update(self, ledger: Ledger, site: Site, record: Record, inputs: Properties) -> Properties:
        """A volume only grows."""
        if inputs.get("size", 0) < record.outputs.get("size", 0):
            raise CloudError(
                "InvalidParameterValue",
                f"New size cannot be smaller than existing size ({record.outputs['size']} GiB)",
            )
        return {}

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """It must be detached."""
        for attachment in ledger.find(VOLUME_ATTACHMENT, volumeId=record.id):
            raise CloudError(
                "VolumeInUse",
                f"Volume {record.id} is currently attached to {attachment.outputs['instanceId']}",
            )

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Make the real directory."""
        if site.home is not None:
            site.home.volume(record.id).mkdir(parents=True, exist_ok=True)
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Remove the real directory with all that is in it."""
        if site.home is not None:
            shutil.rmtree(site.home.volume(record.id), ignore_errors=True)


class VolumeAttachment(Behaviour):
    """A disk in a machine."""

    token = VOLUME_ATTACHMENT

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """Both in one zone, the disk in no other machine, the device name free."""
        volume = lookup(ledger, VOLUME, inputs["volumeId"], "InvalidVolume.NotFound")
        instance = lookup(ledger, INSTANCE, inputs["instanceId"], "InvalidInstanceID.NotFound")
        zones = (volume.outputs["availabilityZone"], instance.outputs["availabilityZone"])
        if zones[0] != zones[1]:
            raise CloudError(
                "InvalidVolume.ZoneMismatch",
                f"The volume '{volume.id}' is not in the same availability zone as instance "
                f"'{instance.id}' ({zones[0]}, {zones[1]})",
            )
        for other in ledger.find(self.token, volumeId=volume.id):
            raise CloudError(
                "VolumeInUse",
                f"{volume.id} is already attached to {other.outputs['instanceId']}",
            )
        device = inputs["deviceName"]
        if ledger.find(self.token, instanceId=instance.id, deviceName=device):
            raise CloudError(
                "InvalidParameterValue",
                f"Invalid value '{device}' for unixDevice. Attachment point {device} is already "
                "in use",
            )
        return Created(stable_id("vai-", device, instance.id, volume.id), {})

    def start(self, site: Site, record: Record, inputs: Properties) -> Properties:
        """Make the device appear in the real machine."""
        if site.home is not None:
            machine.attach(site.home, inputs["instanceId"], inputs["volumeId"])
        return {}

    def stop(self, site: Site, record: Record) -> None:
        """Make it disappear; the machine may be gone already."""
        if site.home is None:
            return
        instance_id = record.outputs["instanceId"]
        if record.outputs.get("stopInstanceBeforeDetaching"):
            machine.stop(site.home, instance_id)
        machine.detach(site.home, instance_id, record.outputs["volumeId"])


BEHAVIOURS: tuple[Behaviour, ...] = (Instance(), Volume(), VolumeAttachment())

"""The package as others see it: its cost, its schema for other languages."""

import subprocess
import sys

from pulumi.provider.experimental.analyzer import Analyzer

from inkless_pulumi.aws import InklessService, S3Storage


def test_importing_it_loads_none_of_the_sdks_big_packages() -> None:
    program = (
        "import sys, inkless_pulumi.aws; "
        "print(*(name for name in sys.modules if name.startswith('pulumi_aws.ec2.')"
        " or name.startswith('pulumi_aws.s3.') or name in ('boto3', 'kafka', 'cryptography')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""


def test_other_languages_can_be_given_the_components() -> None:
    schema = Analyzer("inkless").analyze([InklessService, S3Storage])
    service = schema["component_definitions"]["InklessService"]
    assert not service.inputs["zones"].optional
    assert all(
        definition.optional for name, definition in service.inputs.items() if name != "zones"
    )
    assert all(definition.description for definition in service.inputs.values())
    assert all(definition.description for definition in service.outputs.values())
    assert set(schema["type_definitions"]) == {
        "ConnectionArgs",
        "ExistingDatabaseArgs",
        "ExistingStorageArgs",
        "SecretStoreArgs",
    }

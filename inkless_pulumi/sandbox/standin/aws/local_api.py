"""The sandbox's own AWS endpoint, for the resources that have a real part there."""

from typing import Any

from inkless_pulumi.sandbox.parts import aws_server
from inkless_pulumi.sandbox.standin.behaviour import CloudError, Site


def client(site: Site, service: str, region: str | None = None) -> Any:
    """A client of a service of the running sandbox, in the provider's region by default.

    Raises `CloudError` where none runs.
    """
    # Slow to import, and needed by few plugin processes.
    import boto3
    from botocore.config import Config

    settings = {} if site.home is None else site.home.read_settings()
    endpoint = settings.get("aws_endpoint")
    if endpoint is None:
        raise CloudError(
            "SandboxNotRunning", "the sandbox does not run; start it: `inkless-pulumi sandbox up`"
        )
    return boto3.client(
        service,
        region_name=region or site.region,
        endpoint_url=endpoint,
        aws_access_key_id=aws_server.ACCESS_KEY_ID,
        aws_secret_access_key=aws_server.SECRET_ACCESS_KEY,
        config=Config(
            connect_timeout=5, retries={"max_attempts": 2}, s3={"addressing_style": "path"}
        ),
    )

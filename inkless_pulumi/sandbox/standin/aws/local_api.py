"""The sandbox's own AWS endpoint, for the resources that have a real part there."""

from typing import Any

from inkless_pulumi.sandbox.parts import aws_server
from inkless_pulumi.sandbox.standin.behaviour import CloudError, Site


def client(site: Site, service: str, region: str | None = None) -> Any:
    """A client of a service of the running sandbox, in the provider's region by default.

    Raises `CloudError` where none runs.
    """
    settings = {} if site.home is None else site.home.read_settings()
    endpoint = settings.get("aws_endpoint")
    if endpoint is None:
        raise CloudError(
            "SandboxNotRunning", "the sandbox does not run; start it: `inkless-pulumi sandbox up`"
        )
    return aws_server.client(endpoint, service, region or site.region)

"""A Pulumi plugin whose resources accept everything and do nothing: the engine's own cost."""

import sys

from pulumi.provider.experimental import provider
from pulumi.provider.experimental.server import main


class Nothing(provider.Provider):
    """Every resource is created at once, and is what its inputs say."""

    async def check_config(self, request: provider.CheckRequest) -> provider.CheckResponse:
        """Any configuration will do."""
        return provider.CheckResponse(inputs=request.new_inputs)

    async def diff_config(self, request: provider.DiffRequest) -> provider.DiffResponse:
        """No configuration differs from another."""
        return provider.DiffResponse(changes=False)

    async def configure(self, request: provider.ConfigureRequest) -> provider.ConfigureResponse:
        """Previews are answered as well."""
        return provider.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: provider.CheckRequest) -> provider.CheckResponse:
        """Any input will do."""
        return provider.CheckResponse(inputs=request.new_inputs)

    async def diff(self, request: provider.DiffRequest) -> provider.DiffResponse:
        """A resource never changes."""
        return provider.DiffResponse(changes=False)

    async def create(self, request: provider.CreateRequest) -> provider.CreateResponse:
        """Nothing is made. A connection is not repeated among the outputs, as topics do it."""
        properties = {**request.properties}
        properties.pop("connection", None)
        return provider.CreateResponse(resource_id="nothing", properties=properties)

    async def read(self, request: provider.ReadRequest) -> provider.ReadResponse:
        """All is as it was."""
        return provider.ReadResponse(request.resource_id, request.properties, request.inputs)

    async def update(self, request: provider.UpdateRequest) -> provider.UpdateResponse:
        """Nothing is changed."""
        return provider.UpdateResponse(properties=request.news)

    async def delete(self, request: provider.DeleteRequest) -> None:
        """Nothing is removed."""


if __name__ == "__main__":
    main(sys.argv[1:], "0.0.0", Nothing())

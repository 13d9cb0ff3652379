"""Kafka's messages that kafka-python lacks, as Kafka's protocol defines them."""

from kafka.protocol.api_message import ApiMessage

__all__ = ["UnregisterBrokerRequest", "UnregisterBrokerResponse"]


class UnregisterBrokerRequest(ApiMessage, load_json=__name__):  # type: ignore[call-arg,misc]
    """Asks the controllers to forget a broker (KIP-631)."""


class UnregisterBrokerResponse(ApiMessage, load_json=__name__):  # type: ignore[call-arg,misc]
    """The answer to it."""

"""Requests about the feature levels of a cluster."""

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.client import Session

__all__ = ["KafkaFeatures"]

_METADATA_VERSION = "metadata.version"


class KafkaFeatures:
    """Features of a real cluster; see `FeatureRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def metadata_version(self) -> tuple[int, int]:
        """Tell the finalised level, and the highest that a broker supports."""
        features = self._session.call(lambda client: client.describe_features())
        try:
            known = features[_METADATA_VERSION]
            return int(known["finalized"][1]), int(known["supported"][1])
        except (KeyError, TypeError) as error:
            raise ClusterError(f"The brokers do not tell their features: {features}") from error

    def finalise(self, level: int) -> str | None:
        """Raise the finalised level; answers why it was refused, None when it was not."""
        update = {_METADATA_VERSION: level}
        try:
            answer = self._session.call(lambda client: client.update_features(update))
        except ClusterError as refused:
            return str(refused)
        said = answer.get(_METADATA_VERSION, "OK")
        return None if said == "OK" else str(said)

"""The paths of a node: where its files lie on the host, and where the broker sees them.

The host's directories are mounted into the container under the same names, so one path serves both
for all but the programs.
"""

from typing import Final

SETTINGS_DIRECTORY: Final = "/etc/inkless"
"""Public files of a node, read-only in the container."""
SERVER_PROPERTIES: Final = f"{SETTINGS_DIRECTORY}/server.properties"
NODE_ENVIRONMENT: Final = f"{SETTINGS_DIRECTORY}/node.env"
CA_CERTIFICATE: Final = f"{SETTINGS_DIRECTORY}/ca.pem"

SECRETS_DIRECTORY: Final = "/run/inkless/secrets"
"""A tmpfs that the node fills at each start; the only place that secrets are in."""
NODE_CERTIFICATE: Final = f"{SECRETS_DIRECTORY}/node.pem"
"""The node's unencrypted PKCS#8 key and its certificate. Not encrypted, because Java 17 can't read
what PKCS#8 encryption is today, and the key to it would lie next to it."""
SECRETS_PROPERTIES: Final = f"{SECRETS_DIRECTORY}/secrets.properties"
DATABASE_PASSWORD_KEY: Final = "database.password"

DATA_DIRECTORY: Final = "/var/lib/inkless/data"
"""Kafka's log directory, on the data volume."""

NODE_SCRIPT: Final = "/opt/inkless/bin/inkless-node"
NODE_SERVICE: Final = "/etc/systemd/system/inkless-node.service"
VOLUME_SERVICE: Final = "/etc/systemd/system/inkless-volume.service"

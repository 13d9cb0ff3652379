"""The TCP ports of a node, one a listener, plus the one that serves metrics.

No listener is plaintext. The numbers are fixed: security groups, advertised listeners, connection
strings and the sandbox all name them from here.
"""

CLIENT = 9092
"""Applications with SCRAM over TLS (listener CLIENT, SASL_SSL)."""

MTLS = 9094
"""Applications and the administrator with a client certificate (listener MTLS, SSL)."""

BROKER = 9091
"""Brokers among themselves, mutual TLS (listener BROKER, SSL)."""

CONTROLLER = 9093
"""The KRaft quorum, mutual TLS (listener CONTROLLER, SSL)."""

METRICS = 7071
"""Prometheus metrics of the JVM, read inside the network only."""

"""Run Inkless, Apache Kafka with diskless topics, in your own cloud account with Pulumi."""

"""The real things behind a sandbox's resources, each a process of its own on loopback.

`aws_server` answers for S3, Secrets Manager, SSM, ECR's tokens and the instance metadata service,
`registry` is an OCI registry, `database` a PostgreSQL server an RDS instance.
"""

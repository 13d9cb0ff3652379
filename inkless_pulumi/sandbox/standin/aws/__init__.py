"""The stand-in for Pulumi's AWS plugin: one module a concern."""

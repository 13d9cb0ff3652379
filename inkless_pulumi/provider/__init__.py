"""The plugin `pulumi-resource-inkless`: the resources that no cloud has.

`resource` is the base that each resource's module builds on, `server` the process and the table of
resources. Nothing here is imported by programs; they use the classes of `inkless_pulumi`.
"""

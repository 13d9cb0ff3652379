"""The plugin `pulumi-resource-inkless`: the resources that no cloud has."""

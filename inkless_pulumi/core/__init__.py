"""What every cloud shares: models, settings, the cluster plan and the files of a node. Pure."""

"""Topics, one by one and in sets.

    declared    a topic as it should be, and how the cluster's answer compares with it
    account     what an operation works with, and what has come of it
    changes     carries out creations, changes and deletions of many topics, in batches
    creation    makes topics, and makes sure that those which exist already are ours
    settling    waits until brokers show what was done
    moving      brings topics to another replication factor
    single      the resources ClassicTopic and DisklessTopic
    topic_set   the resource TopicSet

A single topic is a list of one to `changes`: what is true of a topic is written down once.
"""

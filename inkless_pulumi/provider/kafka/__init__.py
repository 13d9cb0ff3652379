"""The one way from the plugin to a cluster.

    connection   how a resource says which cluster it means, and the connections of this process
    tls          the administrators' identity as a TLS context
    client       kafka-python's admin client: shared by threads, retried, remade after failure
    diagnosis    why a cluster can't be reached, found out by trying
    gathering    requests of many resources at once, gathered into few
    model        what is asked and answered, as plain values
    cluster      requests, in lists: topics, users, access rules, nodes

A resource imports `connection` and `model` alone; these import no Kafka library; the rest is loaded
when a first connection is opened.
"""

"""Runs a stand-in as the engine wants a plugin: a gRPC server that prints its port."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from inkless_pulumi.sandbox.standin.cloud import Cloud
from inkless_pulumi.sandbox.standin.servicer import StandIn

_MESSAGE_BYTES = 400 * 1024 * 1024
_THREADS = 16
_PARENT_CHECK_SECONDS = 1
_ANSWER_SECONDS = 2


def serve(cloud: Cloud) -> None:
    """Serve until the engine cancels or is gone (a killed engine can't stop its plugins)."""
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    parent = os.getppid()
    stopped = threading.Event()
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=options)
    servicer = StandIn(cloud)
    servicer.on_cancel = stopped.set
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the protocol's handshake
    # After its cancel the engine interrupts us; we end of ourselves.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(_PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            break
    # The cancel has to be answered: the engine takes a plugin that does not for a crashed one.
    server.stop(grace=_ANSWER_SECONDS).wait()

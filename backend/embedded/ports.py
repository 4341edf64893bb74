"""Five port pairs on loopback: weed's inner calls use HTTP + 10000 and a busy one aborts it."""

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack

from backend.embedded.errors import StartFailed

PARTS = ("master", "volume", "filer", "admin", "s3")
GRPC_OFFSET = 10_000
# Both halves stay below 32768, where Linux takes ports for outgoing connections.
FIRST, LAST = 12_000, 22_000
TRIES = 200


def free(ports: Sequence[int]) -> bool:
    """Whether there are five, and each with its partner can be bound now, all at once."""
    if len(ports) != len(PARTS):
        return False
    with ExitStack() as held:
        for port in ports:
            for number in (port, port + GRPC_OFFSET):
                probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", number))
                except OSError:
                    return False
    return True


def reserve() -> list[int]:
    """Five free ports in the order of ``PARTS``; raises StartFailed."""
    chooser = random.SystemRandom()
    for _ in range(TRIES):
        ports = chooser.sample(range(FIRST, LAST), len(PARTS))
        if free(ports):
            return ports
    raise StartFailed("no_ports")

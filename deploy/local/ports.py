"""Ports for servers that are started here.

A port that was free when it was asked for may be gone when its server binds it: the kernel gives it to an outgoing
connection, or whoever asks next is told of the same one. So ports lie below the range that outgoing connections get
theirs from, and each is taken for the life of this process by an abstract Unix socket of its name, which binds once on
the whole machine and goes with us, however we end (``unix(7)``).
"""

import random
import socket

# Linux gives outgoing connections 32768 and up (``ip_local_port_range``).
_LOWEST, _HIGHEST = 12000, 32000


def free_port() -> int:
    """A TCP port of the loopback that is nobody else's while we run, to listen on now or again later."""
    while True:
        port = random.randrange(_LOWEST, _HIGHEST)
        if _take(port):
            return port


def _take(port: int) -> bool:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with socket.socket() as probe:
        try:
            claim.bind(f"\0metastore-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            return False
    claim.detach()  # stays open until the process ends, and nobody is warned of that
    return True

"""Choose free ports for servers that are started here.

A port that was free a moment ago may be taken when its server binds it: by an outgoing connection, or by another
process that chose the same one. Ports are therefore chosen below the range of outgoing connections, and each is
reserved for the life of this process by an abstract Unix socket named after it. Such a name can be bound only once on
the machine, and the kernel releases it when the process ends (``unix(7)``).
"""

import random
import socket

# Linux uses ports from 32768 for outgoing connections (``ip_local_port_range``).
_LOWEST, _HIGHEST = 12000, 32000


def free_port() -> int:
    """Reserve a TCP port on the loopback interface for the life of this process and return it."""
    while True:
        port = random.randrange(_LOWEST, _HIGHEST)
        if _take(port):
            return port


def _take(port: int) -> bool:
    reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with socket.socket() as probe:
        try:
            reservation.bind(f"\0metastore-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            return False
    reservation.detach()  # Keeps it open until the process ends, without a ResourceWarning.
    return True

"""Ports of servers started beside each other."""

import subprocess
import sys

from deploy.local import ports

_TAKE_ONE = "import sys\nfrom deploy.local.ports import free_port\nprint(free_port(), flush=True)\nsys.stdin.read()\n"


def test_a_port_is_given_once() -> None:
    """Whether or not its server has bound it yet."""
    given = [ports.free_port() for _ in range(500)]
    assert len(set(given)) == 500


def test_a_port_is_not_given_to_two_processes() -> None:
    """Neither while the one that has it only thinks of starting its server, but again once it has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert not ports._take(port)
        other.communicate("")
    assert ports._take(port)

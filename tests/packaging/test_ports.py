"""Reserving free ports for servers."""

import subprocess
import sys

from deploy.local import ports

_TAKE_ONE = "import sys\nfrom deploy.local.ports import free_port\nprint(free_port(), flush=True)\nsys.stdin.read()\n"


def test_a_port_is_reserved_once() -> None:
    """Whether or not a server has bound it."""
    reserved = [ports.free_port() for _ in range(500)]
    assert len(set(reserved)) == 500


def test_a_port_is_not_reserved_by_two_processes() -> None:
    """The reservation ends with the process that made it, even if no server has bound the port."""
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert not ports._take(port)
        other.communicate("")
    assert ports._take(port)

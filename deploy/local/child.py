"""One process of the stack."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class StackError(Exception):
    """The stack cannot run; the message is for the operator."""


# We may have died before the child asked to be told of it; then its parent is another by now.
_UNLESS_ORPHANED = ("sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


class Child:
    """A program that ends with us, however we end; its output goes to ``log``."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Start it, as ``user`` if that is somebody else (we are root then)."""
        switch = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", *switch, "--pdeathsig=KILL", "--", *_UNLESS_ORPHANED, str(os.getpid()), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=dict(environment) if environment is not None else None,
                start_new_session=True,
            )

    def wait_until(self, is_ready: Callable[[], bool], *, within: float = 120) -> None:
        """Return once ``is_ready``.

        Raises:
            StackError: it ended, or was not ready in so many seconds; with the end of its log.
        """
        deadline = time.monotonic() + within
        while not is_ready():
            if not self.is_running:
                raise StackError(f"{self.name} ended at once:\n{self.output()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} was not ready within {within:g} s:\n{self.output()}")
            time.sleep(0.03)

    def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, within: float) -> int:
        """Its exit code; it is killed if it takes longer than so many seconds."""
        if self._process is None:
            return 0
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        self._process = None
        return code

    def kill(self) -> None:
        """End it and its own children at once."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def output(self, last: int = 2000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-last:] if self.log.exists() else ""


def answers(port: int, greeting: bytes, expected: bytes) -> bool:
    """Whether what listens on the port answers ``greeting`` so; any answer will do when ``expected`` is empty."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(greeting)
            got = connection.recv(64)
            return bool(got) and got.startswith(expected)
    except OSError:
        return False

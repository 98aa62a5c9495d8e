"""The child processes of the stack."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class StackError(Exception):
    """The stack cannot run. The message is for the operator."""


# Runs the command only if its parent still lives: it may have died before the child set its parent-death signal.
_UNLESS_ORPHANED = ("sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


class ChildProcess:
    """A child process that dies with this one, even if this one is killed. Its output goes to ``log``."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the id of the running process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Return whether it was started and has not exited."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Start it, as ``user`` if given, which only root may do."""
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
        """Wait until ``is_ready`` returns true.

        Raises:
            StackError: the process exited or was not ready within ``within`` seconds. Contains the end of its log.
        """
        deadline = time.monotonic() + within
        while not is_ready():
            if not self.is_running:
                raise StackError(f"{self.name} exited early:\n{self.output()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} was not ready within {within:g} s:\n{self.output()}")
            time.sleep(0.03)

    def send_signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, if the process is running."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, within: float) -> int:
        """Wait for it to exit and return its exit code. Kill it after ``within`` seconds."""
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
        """Kill it and its own children."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def output(self, last: int = 2000) -> str:
        """Return the last ``last`` characters of its log."""
        return self.log.read_text(errors="replace")[-last:] if self.log.exists() else ""


def responds(port: int, greeting: bytes, expected: bytes) -> bool:
    """Return whether the server on ``port`` responds to ``greeting`` with ``expected``; empty accepts any response."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(greeting)
            received = connection.recv(64)
            return bool(received) and received.startswith(expected)
    except OSError:
        return False

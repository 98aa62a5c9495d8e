"""``python -m deploy.local up|down``: run the stack, or stop one that is running."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.processes import StackError
from deploy.local.stack import Size, Stack

STOP_SECONDS = 90


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="make up-local", description="The scale-out profile as plain processes.")
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--folder", type=Path, default=Path("data/local"), help="folder for all data and logs")
    parser.add_argument("--port", type=int, default=8080, help="port of the web app and the API (0: any free port)")
    parser.add_argument("--store-port", type=int, default=8333, help="port of the object store (0: any free port)")
    parser.add_argument("--apis", type=int, default=2, help="number of API processes")
    parser.add_argument("--relays", type=int, default=1, help="number of relays")
    parser.add_argument("--workers", type=int, default=1, help="number of workers")
    options = parser.parse_args(arguments)
    try:
        if options.command == "down":
            return _down(options.folder)
        return _up(options)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _up(options: argparse.Namespace) -> int:
    pid_file = options.folder / "pid"
    if _running(pid_file):
        raise StackError(f"the stack is already running in {options.folder}")
    size = Size(options.apis, options.relays, [() for _ in range(options.workers)])
    stack = Stack(options.folder, port=options.port, store_port=options.store_port, size=size)
    pid_file.write_text(str(os.getpid()))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.stdout.write("Starting PostgreSQL, Redis, RabbitMQ, SeaweedFS, MetaStore and nginx …\n")
        sys.stdout.flush()
        stack.start()
        name, password = stack.admin
        sys.stdout.write(f"MetaStore is running at {stack.address}\nSign in as {name} with the password {password}\n")
        sys.stdout.write(f"Logs and data are in {stack.folder}. Press Ctrl-C to stop everything.\n")
        sys.stdout.flush()
        while (ended := stack.ended()) is None:
            time.sleep(0.5)
        raise StackError(f"{ended.name} exited:\n{ended.output()}")
    except KeyboardInterrupt:
        return 0
    finally:
        # A second Ctrl-C must not interrupt the shutdown.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
        pid_file.unlink(missing_ok=True)


def _down(folder: Path) -> int:
    pid_file = folder / "pid"
    pid = _running(pid_file)
    if not pid:
        sys.stdout.write("The stack is not running.\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _running(pid_file):
        if time.monotonic() > deadline:
            raise StackError(f"process {pid} has not exited within {STOP_SECONDS} s")
        time.sleep(0.1)
    return 0


def _running(pid_file: Path) -> int | None:
    """Return the id of the process that runs the stack. An id that another program reuses does not count."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"deploy.local" in command else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Workers by name, on the running stack."""

import subprocess

from deploy.local.ports import free_port
from deploy.local.processes import ChildProcess
from deploy.local.stack import COMMAND, ProductProcess, Stack


def test_a_name_that_no_worker_has_is_answered_with_the_list(stack: Stack) -> None:
    """In one line, with code 2."""
    done = subprocess.run(
        [*COMMAND, "worker", "notifications", "gossip"],
        env=stack.environment(),
        cwd=stack.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "gossip" in done.stderr
    for name in ("audit", "files", "notifications", "reaper", "sockets"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_one_more_worker_joins_and_leaves(stack: Stack) -> None:
    """With the names that it is given; told to stop, it ends with code 0."""
    port = free_port()
    arguments = ["worker", "notifications", "reaper", "--metrics-port", str(port)]
    extra = ProductProcess(ChildProcess("extra", stack.folder / "extra.log"), arguments, port)
    try:
        stack.launch(extra)
        extra.child.wait_until(extra.is_ready)
        extra.child.send_signal()
        assert 0 == extra.child.wait(15)
    finally:
        extra.child.kill()

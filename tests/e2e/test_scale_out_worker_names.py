"""The names that ``metastore worker`` takes, on the running stack."""

import subprocess

from deploy.local.ports import free_port
from deploy.local.processes import ChildProcess
from deploy.local.stack import COMMAND, ProductProcess, Stack


def test_an_unknown_worker_name_is_refused_with_the_known_names(stack: Stack) -> None:
    """The command ends with code 2 and without a traceback."""
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


def test_a_worker_can_be_added_and_removed(stack: Stack) -> None:
    """It runs the named workers; on SIGTERM it ends with code 0."""
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

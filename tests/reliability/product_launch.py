"""Start and restart the product."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.seaweedfs import S3Server

Launch = Callable[..., MetastoreProcess]
RESTART_SECONDS = 10


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """A function that makes a product with the given settings, not started yet. All end with the test."""
    made: list[MetastoreProcess] = []

    def prepare(**settings: str) -> MetastoreProcess:
        process = MetastoreProcess(tmp_path / f"product-{len(made)}", settings)
        made.append(process)
        return process

    yield prepare
    for process in made:
        process.kill()
        sys.stdout.write(f"--- the end of {process.log}\n{process.output()[-4000:]}\n")


def restart(product: MetastoreProcess) -> None:
    """Start it after a crash within the promised ten seconds, or more in proportion to the system load."""
    waiting_each = os.getloadavg()[0] / (os.cpu_count() or 1)
    product.start(ready_within=RESTART_SECONDS * max(1, waiting_each))


def s3_settings(server: S3Server, bucket: str) -> dict[str, str]:
    """Return the settings for a product with its objects on that server."""
    # Test processes share the server.
    return {
        "STORAGE_URL": f"s3://{bucket}-{os.getpid()}?endpoint={server.endpoint}&region=us-east-1",
        "S3_ACCESS_KEY_ID": server.access_key,
        "S3_SECRET_ACCESS_KEY": server.secret_key,
    }

"""Start and restart the product, and make its settings for S3."""

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
    """A function that returns a product with the given settings, not started yet. All are killed after the test."""
    products: list[MetastoreProcess] = []

    def prepare(**settings: str) -> MetastoreProcess:
        process = MetastoreProcess(tmp_path / f"product-{len(products)}", settings)
        products.append(process)
        return process

    yield prepare
    for process in products:
        process.kill()
        sys.stdout.write(f"--- the end of {process.log}\n{process.output()[-4000:]}\n")


def restart(product: MetastoreProcess) -> None:
    """Start the product after a crash within ``RESTART_SECONDS``, or longer in proportion to the system load."""
    load_per_cpu = os.getloadavg()[0] / (os.cpu_count() or 1)
    product.start(ready_within=RESTART_SECONDS * max(1, load_per_cpu))


def s3_settings(server: S3Server, bucket: str) -> dict[str, str]:
    """Return the settings for a product with its objects in a bucket on that server."""
    # Test processes share the server, so each has a bucket of its own.
    return {
        "STORAGE_URL": f"s3://{bucket}-{os.getpid()}?endpoint={server.endpoint}&region=us-east-1",
        "S3_ACCESS_KEY_ID": server.access_key,
        "S3_SECRET_ACCESS_KEY": server.secret_key,
    }

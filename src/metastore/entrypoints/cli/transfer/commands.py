"""The client's commands. Each returns its exit code, and imports what it runs, so that its help is there at once."""

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from metastore.entrypoints.cli.transfer.connection import Connection

Parallel = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=32))]
Flag = Parameter(negative="")

_DEFAULTS = Connection()


def upload(
    files: list[Path],
    /,
    *,
    to: str = "/",
    connection: Connection = _DEFAULTS,
    parallel: Parallel = 3,
    yes: Annotated[bool, Flag] = False,
) -> int:
    """Upload files, and folders with their contents.

    Run the same command again to resume an interrupted upload.

    Args:
        files: files and folders
        to: folder on the server; created if missing
        connection: how to reach the server
        parallel: number of parts uploaded at the same time
        yes: do not ask before uploading folders
    """
    from metastore.entrypoints.cli.transfer.uploads import upload_all

    return _run(upload_all(files, to, connection, parallel, ask=not yes and sys.stdin.isatty()))


def download(
    places: list[str],
    /,
    *,
    to: Path = Path(),
    connection: Connection = _DEFAULTS,
    parallel: Parallel = 3,
    overwrite: Annotated[bool, Flag] = False,
) -> int:
    """Download files, and folders with their contents.

    Run the same command again to resume an interrupted download.

    Args:
        places: paths or ids of files and folders on the server
        to: local folder; created if missing
        connection: how to reach the server
        parallel: number of pieces downloaded at the same time
        overwrite: replace existing local files with other contents
    """
    from metastore.entrypoints.cli.transfer.downloads import download_all

    return _run(download_all(places, to, connection, parallel, overwrite=overwrite))


def login(*, connection: Connection = _DEFAULTS) -> int:
    """Sign in, and stay signed in for later commands."""
    from metastore.entrypoints.cli.transfer.sign_in import login as run

    return _run(run(connection))


def logout(*, connection: Connection = _DEFAULTS) -> int:
    """End the session that `login` keeps."""
    from metastore.entrypoints.cli.transfer.sign_in import logout as run

    return _run(run(connection))


def _run(work: Coroutine[None, None, int]) -> int:
    import asyncio

    from metastore.client.errors import TransferError, UsageError

    try:
        return asyncio.run(work)
    except UsageError as error:
        sys.stderr.write(f"metastore: {error}\n")
        return 2
    except TransferError as error:
        sys.stderr.write(f"metastore: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. Run the same command again to resume.\n")
        return 130

"""The client's commands. Each returns its exit code."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from metastore.client.api import Api
from metastore.client.errors import TransferError, UsageError
from metastore.client.retries import RetryPolicy
from metastore.client.sessions import Session, SessionFile, remember_server
from metastore.entrypoints.cli.transfer.downloads import download_all
from metastore.entrypoints.cli.transfer.sign_in import USER_AGENT, Connection, credentials
from metastore.entrypoints.cli.transfer.uploads import upload_all

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
    return _run(download_all(places, to, connection, parallel, overwrite=overwrite))


def login(*, connection: Connection = _DEFAULTS) -> int:
    """Sign in, and stay signed in for later commands."""
    return _run(_login(connection))


def logout(*, connection: Connection = _DEFAULTS) -> int:
    """End the session that `login` keeps."""
    return _run(_logout(connection))


async def _login(connection: Connection) -> int:
    username, password = await asyncio.to_thread(credentials, connection)
    server = connection.origin
    file = SessionFile(server)
    async with Api(Session(server=server), RetryPolicy(connection.time_limit), file, user_agent=USER_AGENT) as api:
        await api.sign_in(username, password)
        remember_server(server)
        sys.stderr.write(f"Signed in to {server} as {api.username}\n")
    return 0


async def _logout(connection: Connection) -> int:
    file = SessionFile(connection.origin)
    session = file.load()
    if session is None:
        sys.stderr.write("Nobody was signed in\n")
        return 0
    file.delete()
    async with Api(session, RetryPolicy(connection.time_limit), user_agent=USER_AGENT) as api:
        await api.sign_out()
    return 0


def _run(work: Coroutine[None, None, int]) -> int:
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

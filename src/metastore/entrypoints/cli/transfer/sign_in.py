"""Sign-in at the command line."""

import asyncio
import contextlib
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable

from metastore import __version__
from metastore.client.api import Api
from metastore.client.errors import TransferError, UsageError
from metastore.client.retries import RetryPolicy
from metastore.client.sessions import Session, SessionFile, remember_server
from metastore.entrypoints.cli.transfer.connection import Connection

PASSWORD_VARIABLE = "METASTORE_CLIENT_PASSWORD"  # noqa: S105  its name, not its value
_SIGN_OUT_SECONDS = 5
USER_AGENT = f"metastore-cli/{__version__}"


@contextlib.asynccontextmanager
async def signed_in(connection: Connection, on_retry: Callable[[str], None] | None = None) -> AsyncIterator[Api]:
    """Open the API with the saved session if it matches, else with a new one that ends with the block.

    Raises:
        UsageError: not signed in, and there is no terminal to ask for credentials.
        TransferError: signing in failed.
    """
    server = connection.origin
    retries = RetryPolicy(connection.time_limit, on_retry)
    file = SessionFile(server)
    saved = file.load()
    if saved and _matches(saved, connection):
        async with Api(saved, retries, file, user_agent=USER_AGENT) as api:
            yield api
        return
    username, password = await asyncio.to_thread(credentials, connection)
    async with Api(Session(server=server), retries, user_agent=USER_AGENT) as api:
        await api.sign_in(username, password)
        try:
            yield api
        finally:
            with contextlib.suppress(TransferError, TimeoutError):
                async with asyncio.timeout(_SIGN_OUT_SECONDS):
                    await api.sign_out()


async def login(connection: Connection) -> int:
    """Sign in, keep the session, and return the exit code."""
    username, password = await asyncio.to_thread(credentials, connection)
    server = connection.origin
    file = SessionFile(server)
    async with Api(Session(server=server), RetryPolicy(connection.time_limit), file, user_agent=USER_AGENT) as api:
        await api.sign_in(username, password)
        remember_server(server)
        sys.stderr.write(f"Signed in to {server} as {api.username}\n")
    return 0


async def logout(connection: Connection) -> int:
    """End the session that is kept, and return the exit code."""
    file = SessionFile(connection.origin)
    session = file.load()
    if session is None:
        sys.stderr.write("Nobody was signed in\n")
        return 0
    file.delete()
    async with Api(session, RetryPolicy(connection.time_limit), user_agent=USER_AGENT) as api:
        await api.sign_out()
    return 0


def credentials(connection: Connection) -> tuple[str, str]:
    """Return name and password from the options, the environment or prompts.

    Raises:
        UsageError: one is missing, and there is no terminal to ask for it.
    """
    username = connection.username
    if connection.password_stdin:
        password: str | None = sys.stdin.readline().rstrip("\r\n")
    else:
        password = os.environ.get(PASSWORD_VARIABLE)
    if (not username or not password) and not sys.stdin.isatty():
        if username:
            raise UsageError(f"The password is missing: pass it with --password-stdin or {PASSWORD_VARIABLE}")
        raise UsageError("Not signed in: run metastore login, or pass --username")
    if not username:
        sys.stderr.write(f"Signing in to {connection.origin}\nName: ")
        sys.stderr.flush()
        username = sys.stdin.readline().strip()
    return username, password or getpass.getpass("Password: ")


def _matches(saved: Session, connection: Connection) -> bool:
    if connection.username is None:
        return True
    given = connection.password_stdin or PASSWORD_VARIABLE in os.environ
    return not given and saved.username == connection.username

"""Options for the server and the account, and sign-in at the command line."""

import asyncio
import contextlib
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from metastore import __version__
from metastore.client.api import Api
from metastore.client.errors import TransferError, UsageError
from metastore.client.retries import RetryPolicy
from metastore.client.sessions import Session, SessionFile, last_server

PASSWORD_VARIABLE = "METASTORE_CLIENT_PASSWORD"  # noqa: S105  its name, not its value
_DEFAULT_SERVER = "http://127.0.0.1:8080"
_SIGN_OUT_SECONDS = 5
USER_AGENT = f"metastore-cli/{__version__}"


@Parameter(name="*")
@dataclass(frozen=True)
class Connection:
    """The options for the server and the account."""

    server: Annotated[str | None, Parameter(env_var="METASTORE_CLIENT_SERVER")] = None
    """Address of the server (default: the server of the last login, or http://127.0.0.1:8080)."""
    username: Annotated[str | None, Parameter(env_var="METASTORE_CLIENT_USERNAME")] = None
    """Name or e-mail address (default: the session of `metastore login`)."""
    password_stdin: Annotated[bool, Parameter(negative="")] = False
    """Read the password from standard input, instead of METASTORE_CLIENT_PASSWORD or a prompt."""
    time_limit: Annotated[float, Parameter(name="--patience")] = 300.0
    """Fail when nothing was transferred for this many seconds."""

    @property
    def origin(self) -> str:
        """Return the server's origin.

        Raises:
            UsageError: ``server`` is not a valid address.
        """
        given = self.server or last_server() or _DEFAULT_SERVER
        parts = urlsplit(given if "://" in given else f"https://{given}")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
            raise UsageError(f"--server: {given} is not an address such as https://drive.example.org")
        return f"{parts.scheme}://{parts.netloc}".lower()


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

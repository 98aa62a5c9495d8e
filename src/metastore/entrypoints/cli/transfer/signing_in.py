"""Who a run is on the server: a kept session, or one of its own."""

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

from metastore.entrypoints.cli.transfer.api import Api
from metastore.entrypoints.cli.transfer.failures import TransferError, UsageError
from metastore.entrypoints.cli.transfer.patience import Patience
from metastore.entrypoints.cli.transfer.sessions import Session, SessionFile, last_server

PASSWORD_VARIABLE = "METASTORE_CLIENT_PASSWORD"  # noqa: S105  its name, not its value
_DEFAULT_SERVER = "http://127.0.0.1:8080"
_SIGN_OUT_SECONDS = 5


@Parameter(name="*")
@dataclass(frozen=True)
class Connection:
    """How to reach the server and as whom."""

    server: Annotated[str | None, Parameter(env_var="METASTORE_CLIENT_SERVER")] = None
    """Address of the server (default: the one signed in to last, else http://127.0.0.1:8080)."""
    username: Annotated[str | None, Parameter(env_var="METASTORE_CLIENT_USERNAME")] = None
    """Name or e-mail address; without it, the session that `metastore login` keeps is used."""
    password_stdin: Annotated[bool, Parameter(negative="")] = False
    """Read the password from standard input, instead of METASTORE_CLIENT_PASSWORD or a prompt."""
    patience: float = 300.0
    """Give up when nothing has arrived for so many seconds."""

    @property
    def origin(self) -> str:
        """The server's origin.

        Raises:
            UsageError: ``server`` is no address.
        """
        given = self.server or last_server() or _DEFAULT_SERVER
        parts = urlsplit(given if "://" in given else f"https://{given}")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
            raise UsageError(f"--server: {given} is not an address such as https://drive.example.org")
        return f"{parts.scheme}://{parts.netloc}".lower()


@contextlib.asynccontextmanager
async def signed_in(connection: Connection, on_trouble: Callable[[str], None] | None = None) -> AsyncIterator[Api]:
    """The API of a session: the kept one when it fits, else one that ends with the block.

    Raises:
        UsageError: there is nobody to be, and nobody to ask.
        TransferError: signing in failed.
    """
    server = connection.origin
    patience = Patience(connection.patience, on_trouble)
    file = SessionFile(server)
    kept = file.load()
    if kept and _fits(kept, connection):
        async with Api(kept, patience, file) as api:
            yield api
        return
    username, password = await asyncio.to_thread(credentials, connection)
    async with Api(Session(server=server), patience) as api:
        await api.sign_in(username, password)
        try:
            yield api
        finally:
            with contextlib.suppress(TransferError, TimeoutError):
                async with asyncio.timeout(_SIGN_OUT_SECONDS):
                    await api.sign_out()


def credentials(connection: Connection) -> tuple[str, str]:
    """Name and password: as given, or asked for at the terminal.

    Raises:
        UsageError: not given, and there is no terminal to ask at.
    """
    username = connection.username
    if connection.password_stdin:
        password: str | None = sys.stdin.readline().rstrip("\r\n")
    else:
        password = os.environ.get(PASSWORD_VARIABLE)
    if (not username or not password) and not sys.stdin.isatty():
        if username:
            raise UsageError(f"The password is missing: give it by --password-stdin or {PASSWORD_VARIABLE}")
        raise UsageError("Nobody is signed in here: run metastore login, or name yourself by --username")
    if not username:
        sys.stderr.write(f"Signing in to {connection.origin}\nName: ")
        sys.stderr.flush()
        username = sys.stdin.readline().strip()
    return username, password or getpass.getpass("Password: ")


def _fits(kept: Session, connection: Connection) -> bool:
    if connection.username is None:
        return True
    given = connection.password_stdin or PASSWORD_VARIABLE in os.environ
    return not given and kept.username == connection.username

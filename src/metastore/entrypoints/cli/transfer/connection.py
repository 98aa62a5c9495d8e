"""Options for the server and the account. Help shows them, so nothing of the client is imported for them."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

_DEFAULT_SERVER = "http://127.0.0.1:8080"


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
        from metastore.client.errors import UsageError
        from metastore.client.sessions import last_server

        given = self.server or last_server() or _DEFAULT_SERVER
        parts = urlsplit(given if "://" in given else f"https://{given}")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
            raise UsageError(f"--server: {given} is not an address such as https://drive.example.org")
        return f"{parts.scheme}://{parts.netloc}".lower()

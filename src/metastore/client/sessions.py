"""Sessions: the cookies of a server, kept between runs.

Cookies are stored by name, with their path, and sent only to the API of their server. The client does not interpret
them. Each session has a file of its own. A process that refreshes a session locks it and first checks whether another
process has already refreshed it, since reusing an old refresh token would end the session.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from metastore.client.state_files import locked, read_private, state_folder, write_private


class Cookie(BaseModel):
    """A cookie set by the server."""

    value: str
    path: str = "/"


class Session(BaseModel):
    """The cookies of one server, by name."""

    server: str
    username: str = ""
    cookies: dict[str, Cookie] = {}

    def header(self, path: str) -> str:
        """Return the ``Cookie`` header for a request to ``path``; empty if there are no cookies for it."""
        fitting = [f"{name}={cookie.value}" for name, cookie in self.cookies.items() if _matches(cookie.path, path)]
        return "; ".join(fitting)

    def update(self, set_cookie_headers: Iterable[str]) -> bool:
        """Apply the ``Set-Cookie`` headers of a response; return whether there were any."""
        changed = False
        for header in set_cookie_headers:
            with contextlib.suppress(CookieError):
                for name, morsel in SimpleCookie(header).items():
                    changed = True
                    if _is_expired(morsel["max-age"], morsel["expires"]):
                        self.cookies.pop(name, None)
                    else:
                        self.cookies[name] = Cookie(value=morsel.coded_value, path=morsel["path"] or "/")
        return changed


class SessionFile:
    """The file that keeps the session of a server between runs."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._path = _session_path(server)

    def load(self) -> Session | None:
        """Return the saved session, or ``None`` if there is none or it is damaged."""
        content = read_private(self._path)
        try:
            session = Session.model_validate_json(content) if content else None
        except ValidationError:
            return None
        return session if session and session.server == self._server and session.cookies else None

    def save(self, session: Session) -> None:
        """Save ``session``."""
        write_private(self._path, session.model_dump_json().encode())

    def delete(self) -> None:
        """Delete the session."""
        self._path.unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Wait for the lock that a process holds while it changes the session."""
        async with locked(self._path.with_suffix(".lock")):
            yield


def last_server() -> str | None:
    """Return the server of the last sign-in."""
    content = read_private(state_folder() / "server")
    return content.decode().strip() or None if content else None


def remember_server(server: str) -> None:
    """Make ``server`` the default for later runs."""
    write_private(state_folder() / "server", server.encode())


def _session_path(server: str) -> Path:
    return state_folder("sessions") / f"{quote(server, safe='')}.json"


def _matches(cookie_path: str, path: str) -> bool:
    """Return whether a cookie with ``cookie_path`` is sent to ``path`` (RFC 6265, section 5.1.4)."""
    prefix = cookie_path.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def _is_expired(max_age: str, expires: str) -> bool:
    if max_age.lstrip("-").isdecimal():
        return int(max_age) <= 0
    with contextlib.suppress(ValueError, TypeError):
        return bool(expires) and parsedate_to_datetime(expires).timestamp() <= time.time()
    return False

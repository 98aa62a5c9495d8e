"""Who is signed in where.

A session is the cookies of one server. They are kept by name and path and sent to that server's API alone; nothing is
known about what they mean. A kept session is a file of its own; whoever refreshes it holds its lock and first looks
whether another run has already done so, since an old refresh token used again would end the session everywhere.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from metastore.entrypoints.cli.transfer.state_files import locked, read_private, state_folder, write_private


class Cookie(BaseModel):
    """A cookie as the server set it."""

    value: str
    path: str = "/"


class Session(BaseModel):
    """The cookies of one server, by name."""

    server: str
    username: str = ""
    cookies: dict[str, Cookie] = {}

    def header(self, path: str) -> str:
        """The ``Cookie`` header for a request to ``path``; empty when there is none to send."""
        fitting = [f"{name}={cookie.value}" for name, cookie in self.cookies.items() if _covers(cookie.path, path)]
        return "; ".join(fitting)

    def take(self, set_cookie_headers: Iterable[str]) -> bool:
        """Keep, replace or forget cookies as an answer says; returns whether it said anything."""
        heard = False
        for header in set_cookie_headers:
            with contextlib.suppress(CookieError):
                for name, morsel in SimpleCookie(header).items():
                    heard = True
                    if _is_over(morsel["max-age"], morsel["expires"]):
                        self.cookies.pop(name, None)
                    else:
                        self.cookies[name] = Cookie(value=morsel.coded_value, path=morsel["path"] or "/")
        return heard


class SessionFile:
    """Where the session of a server is kept between runs."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._path = _session_path(server)

    def load(self) -> Session | None:
        """The kept session, if there is one."""
        content = read_private(self._path)
        try:
            session = Session.model_validate_json(content) if content else None
        except ValidationError:
            return None
        return session if session and session.server == self._server and session.cookies else None

    def save(self, session: Session) -> None:
        """Keep ``session``."""
        write_private(self._path, session.model_dump_json().encode())

    def forget(self) -> None:
        """Keep none."""
        self._path.unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn to change the session."""
        async with locked(self._path.with_suffix(".lock")):
            yield


def last_server() -> str | None:
    """The server that was signed in to last."""
    content = read_private(state_folder() / "server")
    return content.decode().strip() or None if content else None


def remember_server(server: str) -> None:
    """Make ``server`` the one that commands go to when they name none."""
    write_private(state_folder() / "server", server.encode())


def _session_path(server: str) -> Path:
    return state_folder("sessions") / f"{quote(server, safe='')}.json"


def _covers(cookie_path: str, path: str) -> bool:
    """Whether a cookie of ``cookie_path`` goes to ``path`` (RFC 6265, section 5.1.4)."""
    prefix = cookie_path.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def _is_over(max_age: str, expires: str) -> bool:
    if max_age.lstrip("-").isdecimal():
        return int(max_age) <= 0
    with contextlib.suppress(ValueError, TypeError):
        return bool(expires) and parsedate_to_datetime(expires).timestamp() <= time.time()
    return False

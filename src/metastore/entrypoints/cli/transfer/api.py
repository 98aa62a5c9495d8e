"""The server's API, as a signed-in user sees it."""

import asyncio
import uuid
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin

import httpx
from pydantic import JsonValue, ValidationError

from metastore import __version__
from metastore.entrypoints.cli.transfer.failures import RefusedError, TransferError, refusal_of
from metastore.entrypoints.cli.transfer.patience import PassingError, Patience, raise_if_passing
from metastore.entrypoints.cli.transfer.sessions import Session, SessionFile
from metastore.entrypoints.cli.transfer.wire import AccountAnswer, Wire

Answer = TypeVar("Answer", bound=Wire)

_TIMEOUT = httpx.Timeout(60, connect=10)
_REFRESH = "/api/v1/auth/refresh"


class Api:
    """Calls with the session's cookies, refreshing it when its time is over, and trying again while faults may pass.

    ``kept`` is where the session lives between runs; without it the session is this run's alone.
    """

    def __init__(self, session: Session, patience: Patience, kept: SessionFile | None = None) -> None:
        self.server = session.server
        self.patience = patience
        self._session = session
        self._kept = kept
        self._refreshing = asyncio.Lock()
        self._client = httpx.AsyncClient(
            base_url=session.server, timeout=_TIMEOUT, headers={"User-Agent": f"metastore-cli/{__version__}"}
        )
        # Cookies are the session's business; httpx keeps out of it.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def __aenter__(self) -> Self:
        """Open connections as they are needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        await self._client.aclose()

    @property
    def username(self) -> str:
        """Who is signed in."""
        return self._session.username

    async def sign_in(self, username: str, password: str) -> None:
        """Open a session.

        Raises:
            RefusedError: wrong name or password, too many attempts, or a suspended account.
        """
        response = await self._tried(
            "POST", "/api/v1/auth/login", json={"username": username, "password": password}, wait_when_limited=False
        )
        self._session.username = _read(AccountAnswer, response).user.username
        if self._kept:
            async with self._kept.turn():
                self._kept.save(self._session)

    async def sign_out(self) -> None:
        """End the session on the server."""
        await self._tried("POST", "/api/v1/auth/logout")

    async def get(self, kind: type[Answer], path: str, /, **query: str | int | None) -> Answer:
        """GET ``path``; parameters that are ``None`` are left out.

        Raises:
            RefusedError: the server says no.
            TransferError: it does not answer, or not in a form that we understand.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        return _read(kind, await self._authorized("GET", path, params=params))

    async def post(self, kind: type[Answer], path: str, body: JsonValue, *, keyed: bool = True) -> Answer:
        """POST ``body``; it takes effect once, however often it has to be sent. Raises as ``get``.

        ``keyed=False`` is for calls that the server itself answers twice alike.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())} if keyed else {}
        return _read(kind, await self._authorized("POST", path, json=body, headers=headers))

    async def delete(self, path: str) -> None:
        """DELETE ``path``. Raises as ``get``."""
        await self._authorized("DELETE", path)

    async def redirect(self, path: str) -> str:
        """Where a GET of ``path`` is sent on to, as an absolute address. Raises as ``get``."""
        response = await self._authorized("GET", path)
        location = response.headers.get("location")
        if not location:
            raise TransferError(f"The server gave no address to download from ({response.status_code})")
        return self.absolute(location)

    def absolute(self, url: str) -> str:
        """``url``, which may be a path on the server, as an address."""
        return urljoin(f"{self.server}/", url)

    async def _authorized(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        # Twice, since what another run has kept may itself be over by now.
        for _ in range(2):
            before = self._session.header(path)
            try:
                return await self._tried(method, path, json=json, params=params, headers=headers)
            except RefusedError as error:
                if error.status != 401:
                    raise
            await self._refresh(path, before)
        return await self._tried(method, path, json=json, params=params, headers=headers)

    async def _refresh(self, path: str, refused: str) -> None:
        """Replace the cookies that were ``refused``, unless somebody has done so meanwhile."""
        async with self._refreshing:
            if self._session.header(path) != refused:
                return
            if self._kept is None:
                await self._exchange()
                return
            async with self._kept.turn():
                newest = self._kept.load()
                if newest and newest.header(path) != refused:
                    self._session.cookies = newest.cookies
                    return
                await self._exchange()
                self._kept.save(self._session)

    async def _exchange(self) -> None:
        try:
            await self._tried("POST", _REFRESH)
        except RefusedError as error:
            if error.status != 401:
                raise
            raise TransferError("The session has ended; sign in again with: metastore login") from None

    async def _tried(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_when_limited: bool = True,
    ) -> httpx.Response:
        async def attempt() -> httpx.Response:
            cookie = self._session.header(path)
            sent = {**(headers or {}), **({"Cookie": cookie} if cookie else {})}
            response = await self._client.request(method, path, json=json, params=params or None, headers=sent)
            if response.status_code == 429 and not wait_when_limited:
                raise refusal_of(response)
            raise_if_passing(response)
            self._session.take(response.headers.get_list("set-cookie"))
            if response.status_code >= 400:
                refusal = refusal_of(response)
                if refusal.code == "idempotency-in-progress":
                    raise PassingError(str(refusal))
                raise refusal
            return response

        return await self.patience.during(attempt)


def _read(kind: type[Answer], response: httpx.Response) -> Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        raise TransferError("The server's answer is not of a kind that this client knows") from None

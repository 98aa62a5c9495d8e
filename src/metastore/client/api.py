"""Calls to the HTTP API on behalf of a user."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin

import httpx
from pydantic import JsonValue, ValidationError

from metastore.client.errors import RefusedError, TransferError, refusal_of
from metastore.client.responses import AccountResponse, ResponseModel
from metastore.client.retries import RetryPolicy, TransientError, raise_if_transient
from metastore.client.sessions import Session, SessionFile

Model = TypeVar("Model", bound=ResponseModel)

_TIMEOUT = httpx.Timeout(60, connect=10)
_REFRESH = "/api/v1/auth/refresh"


@dataclass(frozen=True, slots=True)
class Form:
    """A ``multipart/form-data`` body: fields, and parts ``file`` with their file name, bytes and content type."""

    fields: dict[str, str]
    files: list[tuple[str, bytes, str]]


class Api:
    """Calls the API with the session's cookies. Refreshes an expired session, and retries after transient errors.

    Args:
        session: The session, which is changed as the server sets cookies.
        retries: The policy for retries.
        session_file: The file that keeps the session between runs; without it, the session is not saved.
        user_agent: The name of the program.
    """

    def __init__(
        self,
        session: Session,
        retries: RetryPolicy,
        session_file: SessionFile | None = None,
        *,
        user_agent: str = "metastore-client",
    ) -> None:
        self.server = session.server
        self.retries = retries
        self._session = session
        self._session_file = session_file
        self._refreshing = asyncio.Lock()
        self._client = httpx.AsyncClient(base_url=session.server, timeout=_TIMEOUT, headers={"User-Agent": user_agent})
        # The session handles cookies, not httpx.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def __aenter__(self) -> Self:
        """Return the object; connections are opened as needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._client.aclose()

    @property
    def username(self) -> str:
        """Return the name of the user."""
        return self._session.username

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in, and save the session if there is a file for it.

        Raises:
            RefusedError: wrong name or password, too many attempts, or a suspended account.
        """
        response = await self._send(
            "POST", "/api/v1/auth/login", json={"username": username, "password": password}, wait_when_limited=False
        )
        self._session.username = _read(AccountResponse, response).user.username
        if self._session_file:
            async with self._session_file.lock():
                self._session_file.save(self._session)

    async def sign_out(self) -> None:
        """End the session on the server."""
        await self._send("POST", "/api/v1/auth/logout")

    async def get(self, kind: type[Model], path: str, /, **query: str | int | None) -> Model:
        """GET ``path``. Parameters that are ``None`` are omitted.

        Raises:
            RefusedError: the server refused the request.
            TransferError: the server did not respond, or its response has an unknown format.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        return _read(kind, await self._authorized("GET", path, params=params))

    async def post(self, kind: type[Model], path: str, body: JsonValue, *, keyed: bool = True) -> Model:
        """POST ``body`` with an idempotency key, so that it takes effect once. Raises like ``get``.

        ``keyed=False`` omits the key, for calls that are idempotent by themselves.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())} if keyed else {}
        return _read(kind, await self._authorized("POST", path, json=body, headers=headers))

    async def post_form(self, kind: type[Model], path: str, form: Form) -> Model:
        """POST ``form`` with an idempotency key, so that it takes effect once. Raises like ``get``."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return _read(kind, await self._authorized("POST", path, form=form, headers=headers))

    async def delete(self, path: str) -> None:
        """DELETE ``path``. Raises like ``get``."""
        await self._authorized("DELETE", path)

    async def redirect(self, path: str) -> str:
        """Return the absolute URL that a GET of ``path`` redirects to. Raises like ``get``."""
        response = await self._authorized("GET", path)
        location = response.headers.get("location")
        if not location:
            raise TransferError(f"The server returned no URL to download from ({response.status_code})")
        return self.absolute(location)

    def absolute(self, url: str) -> str:
        """Return ``url``, which may be a path on the server, as an absolute URL."""
        return urljoin(f"{self.server}/", url)

    async def _authorized(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        form: Form | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        # Twice, since the cookies that another process has saved may have expired as well.
        for _ in range(2):
            before = self._session.header(path)
            try:
                return await self._send(method, path, json=json, form=form, params=params, headers=headers)
            except RefusedError as error:
                if error.status != 401:
                    raise
            await self._refresh(path, before)
        return await self._send(method, path, json=json, form=form, params=params, headers=headers)

    async def _refresh(self, path: str, refused: str) -> None:
        """Replace the ``refused`` cookies, unless another task or process has replaced them."""
        async with self._refreshing:
            if self._session.header(path) != refused:
                return
            if self._session_file is None:
                await self._request_refresh()
                return
            async with self._session_file.lock():
                newest = self._session_file.load()
                if newest and newest.header(path) != refused:
                    self._session.cookies = newest.cookies
                    return
                await self._request_refresh()
                self._session_file.save(self._session)

    async def _request_refresh(self) -> None:
        try:
            await self._send("POST", _REFRESH)
        except RefusedError as error:
            if error.status != 401:
                raise
            raise TransferError("The session has ended; sign in again with: metastore login") from None

    async def _send(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        form: Form | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_when_limited: bool = True,
    ) -> httpx.Response:
        async def attempt() -> httpx.Response:
            cookie = self._session.header(path)
            sent = {**(headers or {}), **({"Cookie": cookie} if cookie else {})}
            response = await self._client.request(
                method,
                path,
                json=json,
                data=form.fields if form else None,
                files=[("file", part) for part in form.files] if form else None,
                params=params or None,
                headers=sent,
            )
            if response.status_code == 429 and not wait_when_limited:
                raise refusal_of(response)
            raise_if_transient(response)
            self._session.update(response.headers.get_list("set-cookie"))
            if response.status_code >= 400:
                refusal = refusal_of(response)
                if refusal.code == "idempotency-in-progress":
                    raise TransientError(str(refusal))
                raise refusal
            return response

        return await self.retries.run(attempt)


def _read(kind: type[Model], response: httpx.Response) -> Model:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        raise TransferError("The server's response is not in a format that this client knows") from None

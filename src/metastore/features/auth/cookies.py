"""The two cookies of a session.

Over http they are named ``access_token`` and ``refresh_token``. When people reach the product over https they are
``Secure`` and carry the prefixes by which browsers refuse look-alikes planted by a neighbouring host or a plain http
page (RFC 6265bis, section 4.1.3): ``__Host-access_token``, and ``__Secure-refresh_token``, since ``__Host-`` demands
``Path=/``. Only the names of the configured scheme are read, else the prefix would protect nothing.

Both are ``HttpOnly`` and ``SameSite=Lax``. The refresh token goes to ``/api`` alone: pages, downloads and sockets never
carry it, while every version of the API (``/api/v1``, ``/api/v2``) can refresh and sign out.
"""

from collections.abc import Mapping

from starlette.responses import Response

from metastore.features.auth.tokens import TokenPair

_ACCESS_PATH = "/"
_REFRESH_PATH = "/api"


class SessionCookies:
    """Sets, reads and clears the cookies; ``secure`` when the product is reached over https."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.access_name = "__Host-access_token" if secure else "access_token"
        self.refresh_name = "__Secure-refresh_token" if secure else "refresh_token"

    def access_token(self, cookies: Mapping[str, str]) -> str | None:
        """The access token among a request's cookies."""
        return cookies.get(self.access_name)

    def refresh_token(self, cookies: Mapping[str, str]) -> str | None:
        """The refresh token among a request's cookies."""
        return cookies.get(self.refresh_name)

    def put(self, response: Response, tokens: TokenPair) -> None:
        """Hand both tokens to the browser."""
        self._set(response, self.access_name, tokens.access_token, tokens.access_max_age, _ACCESS_PATH)
        self._set(response, self.refresh_name, tokens.refresh_token, tokens.refresh_max_age, _REFRESH_PATH)

    def clear(self, response: Response) -> None:
        """Take both tokens from the browser."""
        self._set(response, self.access_name, "", 0, _ACCESS_PATH)
        self._set(response, self.refresh_name, "", 0, _REFRESH_PATH)

    def _set(self, response: Response, name: str, value: str, max_age: int, path: str) -> None:
        response.set_cookie(name, value, max_age=max_age, path=path, secure=self.secure, httponly=True, samesite="lax")

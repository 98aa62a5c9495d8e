"""The two cookies of a session.

Over HTTP they are named ``access_token`` and ``refresh_token``. Over HTTPS they are ``Secure`` and have name prefixes
that keep a sibling host or a plain HTTP page from overwriting them (RFC 6265bis, section 4.1.3):
``__Host-access_token`` and ``__Secure-refresh_token``, because ``__Host-`` requires ``Path=/``. Only the names of the
configured scheme are read; otherwise the prefixes would protect nothing.

Both are ``HttpOnly`` and ``SameSite=Lax``. The refresh token is sent only to ``/api``: not with pages, downloads and
sockets, but with every version of the API, each of which can refresh and sign out.
"""

from collections.abc import Mapping

from starlette.responses import Response

from metastore.features.auth.sessions.tokens import TokenPair

_ACCESS_PATH = "/"
_REFRESH_PATH = "/api"


class SessionCookies:
    """Sets, reads and clears the cookies; ``secure`` if clients connect over HTTPS."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        self.access_name = "__Host-access_token" if secure else "access_token"
        self.refresh_name = "__Secure-refresh_token" if secure else "refresh_token"

    def access_token(self, cookies: Mapping[str, str]) -> str | None:
        """Return the access token from a request's cookies."""
        return cookies.get(self.access_name)

    def refresh_token(self, cookies: Mapping[str, str]) -> str | None:
        """Return the refresh token from a request's cookies."""
        return cookies.get(self.refresh_name)

    def put(self, response: Response, tokens: TokenPair) -> None:
        """Set both cookies."""
        self._set(response, self.access_name, tokens.access_token, tokens.access_max_age, _ACCESS_PATH)
        self._set(response, self.refresh_name, tokens.refresh_token, tokens.refresh_max_age, _REFRESH_PATH)

    def clear(self, response: Response) -> None:
        """Delete both cookies."""
        self._set(response, self.access_name, "", 0, _ACCESS_PATH)
        self._set(response, self.refresh_name, "", 0, _REFRESH_PATH)

    def _set(self, response: Response, name: str, value: str, max_age: int, path: str) -> None:
        response.set_cookie(name, value, max_age=max_age, path=path, secure=self.secure, httponly=True, samesite="lax")

"""The session cookies in responses."""

from http.cookies import SimpleCookie

import httpx

from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of


async def set_cookies(app: AuthApp) -> dict[str, dict[str, str]]:
    """Sign in and return the attributes of each cookie that the response sets."""
    await app.register("mai")
    body = {"username": "mai", "password": PASSWORD}
    return cookies_of(await app.browser().post(f"{API}/login", json=body))


def cookies_of(response: httpx.Response) -> dict[str, dict[str, str]]:
    """Return the attributes of the cookies of a response by name."""
    found: dict[str, dict[str, str]] = {}
    for header in response.headers.get_list("set-cookie"):
        for name, morsel in SimpleCookie(header).items():
            found[name] = {key: value for key, value in morsel.items() if value}
    return found


async def test_over_http_the_cookies_have_their_plain_names(app: AuthApp) -> None:
    """They are HttpOnly and SameSite=Lax and live as long as the tokens; the refresh token is sent only to the API."""
    cookies = await set_cookies(app)
    common = {"httponly": True, "samesite": "lax"}
    assert cookies == {
        "access_token": {**common, "max-age": "900", "path": "/"},
        "refresh_token": {**common, "max-age": "604800", "path": "/api"},
    }


async def test_over_https_the_cookies_are_secure_and_prefixed(secure_app: AuthApp) -> None:
    """``__Host-`` for the access token, ``__Secure-`` for the refresh token with its narrower path; no ``Domain``."""
    cookies = await set_cookies(secure_app)
    common = {"httponly": True, "samesite": "lax", "secure": True}
    assert cookies == {
        "__Host-access_token": {**common, "max-age": "900", "path": "/"},
        "__Secure-refresh_token": {**common, "max-age": "604800", "path": "/api"},
    }


async def test_over_https_signing_in_refreshing_and_signing_out_work(secure_app: AuthApp) -> None:
    """The browser sends the prefixed cookies back."""
    browser = await secure_app.register_and_sign_in("mai")
    assert (await browser.get(f"{API}/me")).status_code == 200
    assert (await browser.post(f"{API}/refresh")).status_code == 200
    assert (await browser.post(f"{API}/logout")).status_code == 204
    assert dict(browser.cookies) == {}


async def test_over_https_cookies_without_prefix_are_ignored(secure_app: AuthApp) -> None:
    """A sibling host could have set them."""
    browser = await secure_app.register_and_sign_in("mai")
    planted = secure_app.browser_with(
        {
            "access_token": browser.cookies["__Host-access_token"],
            "refresh_token": browser.cookies["__Secure-refresh_token"],
        }
    )
    assert code_of(await planted.get(f"{API}/me")) == (401, "not-authenticated")
    assert code_of(await planted.post(f"{API}/refresh")) == (401, "not-authenticated")


async def test_cookies_are_cleared_on_the_path_they_were_set_on(app: AuthApp) -> None:
    """Otherwise browsers would keep them."""
    browser = await app.register_and_sign_in("mai")
    cleared = cookies_of(await browser.post(f"{API}/logout"))
    assert {name: (c["path"], c["max-age"]) for name, c in cleared.items()} == {
        "access_token": ("/", "0"),
        "refresh_token": ("/api", "0"),
    }

"""The content security policy of the web app."""

from metastore.entrypoints.webapp import content_security_policy

STORE = "https://objects.example.org"


def directives(objects_origin: str = "") -> dict[str, list[str]]:
    """Return the policy by directive."""
    parts = (part.split() for part in content_security_policy(objects_origin).split(";"))
    return {name: sources for name, *sources in parts}


def test_video_players_are_allowed() -> None:
    """They fetch segments from the store, pass them on as blobs, and use workers."""
    policy = directives(STORE)
    assert ["'self'", STORE] == policy["connect-src"]
    assert ["'self'", "blob:", STORE] == policy["media-src"]
    assert ["'self'", "blob:"] == policy["worker-src"]
    assert ["'self'", "data:", "blob:", STORE] == policy["img-src"]


def test_everything_else_must_come_from_our_origin() -> None:
    """No scripts from elsewhere or from blobs, and no plug-ins. Without an objects origin nothing is added."""
    policy = directives()
    assert ["'self'"] == policy["script-src"] == policy["default-src"] == policy["connect-src"]
    assert ["'none'"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"]

"""What pages of the web client may do."""

from metastore.entrypoints.webapp import content_security_policy

STORE = "https://objects.example.org"


def directives(objects_origin: str = "") -> dict[str, list[str]]:
    """The policy by directive."""
    parts = (part.split() for part in content_security_policy(objects_origin).split(";"))
    return {name: sources for name, *sources in parts}


def test_players_may_play() -> None:
    """They fetch segments from the store, hand them on as blobs, and work in workers of their own."""
    policy = directives(STORE)
    assert ["'self'", STORE] == policy["connect-src"]
    assert ["'self'", "blob:", STORE] == policy["media-src"]
    assert ["'self'", "blob:"] == policy["worker-src"]
    assert ["'self'", "data:", "blob:", STORE] == policy["img-src"]


def test_nothing_else_comes_from_elsewhere() -> None:
    """No script but ours, from no blob, and no plug-in; without a store of its own origin nothing is added."""
    policy = directives()
    assert ["'self'"] == policy["script-src"] == policy["default-src"] == policy["connect-src"]
    assert ["'none'"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"]

"""The tokens of share links."""

from metastore.features.sharing.link_tokens import LinkTokens, token_hash
from metastore.kit.ids import new_id


def test_a_token_is_the_same_whenever_it_is_derived() -> None:
    link_id = new_id()

    assert LinkTokens(b"k").token(link_id, 1) == LinkTokens(b"k").token(link_id, 1)


def test_a_token_depends_on_the_link_its_generation_and_the_key() -> None:
    link_id, tokens = new_id(), LinkTokens(b"k")

    different = {tokens.token(link_id, 1), tokens.token(link_id, 2), tokens.token(new_id(), 1)}

    assert 4 == len(different | {LinkTokens(b"other").token(link_id, 1)})


def test_a_token_has_144_bits_and_needs_no_escaping_in_a_url() -> None:
    token = LinkTokens(b"k").token(new_id(), 1)

    assert 24 == len(token)
    assert token.replace("-", "").replace("_", "").isalnum()


def test_the_hash_of_a_token_does_not_contain_it() -> None:
    assert "abc" not in token_hash("abc")
    assert 64 == len(token_hash("abc"))

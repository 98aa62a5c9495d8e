import httpx
import pytest

from metastore.client.errors import refusal_of

S3_EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"code": "quota-exceeded", "detail": "No room."}', "quota-exceeded", "No room. (quota-exceeded)"),
        (b'{"title": "Too large"}', "", "Too large"),
        (S3_EXPIRED, "url-expired", "The server responded with 403 Forbidden (url-expired)"),
        (b"<html>a proxy's page</html>", "", "The server responded with 403 Forbidden"),
        (b'["no problem document"]', "", "The server responded with 403 Forbidden"),
    ],
)
def test_a_refusal_has_the_detail_and_code_of_the_response(body: bytes, code: str, message: str) -> None:
    refusal = refusal_of(httpx.Response(403, content=body))
    assert (refusal.code, str(refusal)) == (code, message)

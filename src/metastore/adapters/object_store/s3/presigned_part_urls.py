"""Presign thousands of part URLs.

The client library needs about half a millisecond for each, on the event loop. Here it presigns one, which determines
endpoint, addressing style and credentials. The others differ only in part number, length and signature, and are signed
by this module (AWS Signature Version 4 in query parameters, ``UNSIGNED-PAYLOAD``). The first URL is reproduced and
compared; if it differs, presigning is left to the library.
"""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED_HEADERS = "content-length;host"


@dataclass(frozen=True, slots=True)
class PartUrlTemplate:
    """The common parts of the part URLs of one upload, presigned at one time."""

    address: str
    host: str
    path: str
    before_number: str
    after_number: str
    scope: str
    date: str
    signing_key: bytes

    def url(self, number: int, length: int) -> str:
        """Return the URL to PUT part ``number`` of exactly ``length`` bytes to."""
        query = f"{self.before_number}{number}{self.after_number}"
        headers = f"content-length:{length}\nhost:{self.host}\n"
        request = f"PUT\n{self.path}\n{query}\n{headers}\n{_SIGNED_HEADERS}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"{ALGORITHM}\n{self.date}\n{self.scope}\n{digest}"
        signature = hmac.digest(self.signing_key, text.encode(), "sha256").hex()
        return f"{self.address}?{query}&X-Amz-Signature={signature}"


def part_url_template(url: str, number: int, length: int, secret_key: str) -> PartUrlTemplate | None:
    """Parse a URL that the library presigned for part ``number``.

    Returns ``None`` if the URL cannot be reproduced exactly.
    """
    parts = urlsplit(url)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    signature = fields.pop("X-Amz-Signature", "")
    if (fields.get("X-Amz-Algorithm"), fields.get("X-Amz-SignedHeaders")) != (ALGORITHM, _SIGNED_HEADERS):
        return None
    scope = fields["X-Amz-Credential"].partition("/")[2]
    ordered = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in fields.items())
    before = "".join(f"{name}={value}&" for name, value in ordered if name < "partNumber") + "partNumber="
    after = "".join(f"&{name}={value}" for name, value in ordered if name > "partNumber")
    template = PartUrlTemplate(
        address=f"{parts.scheme}://{parts.netloc}{parts.path}",
        host=signed_host(parts),
        path=parts.path,
        before_number=before,
        after_number=after,
        scope=scope,
        date=fields["X-Amz-Date"],
        signing_key=signing_key(secret_key, scope),
    )
    return template if template.url(number, length).endswith(f"&X-Amz-Signature={signature}") else None


def signed_host(parts: SplitResult) -> str:
    """Return the signed ``Host`` header: what clients will send, which excludes the scheme's default port."""
    default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.netloc.removesuffix(default_port) if default_port else parts.netloc


def signing_key(secret_key: str, scope: str) -> bytes:
    """Derive the signing key for ``scope`` (date, region and service)."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key

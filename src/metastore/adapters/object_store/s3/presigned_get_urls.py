"""Presign thousands of GET URLs that stay the same for a period of time.

As for part URLs (``presigned_part_urls``), the client library presigns one URL, which determines endpoint, addressing
style and credentials. That URL is reproduced here and compared; if it differs, presigning is left to the library. The
other URLs differ in their key, and all of them in their date: they are signed as of the start of the current period
(``kit.clock.period_start``) instead of the present moment, so that all processes produce the same URLs.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from metastore.adapters.object_store.s3.presigned_part_urls import ALGORITHM, signed_host, signing_key

_SIGNED_HEADERS = "host"


@dataclass(frozen=True, slots=True)
class GetUrlTemplate:
    """The common parts of presigned GET URLs.

    ``fields`` are the query parameters other than date, credential and signature. ``scope_end`` is the credential scope
    after the date: region, service and terminator.
    """

    origin: str
    host: str
    before_key: str
    fields: dict[str, str]
    access_key: str
    scope_end: str
    secret_key: str

    def urls(self, keys: Sequence[str], signed_at: datetime) -> list[str]:
        """Return URLs signed as of ``signed_at``. 2,000 take about 6 ms."""
        date = signed_at.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{date[:8]}/{self.scope_end}"
        fields = self.fields | {"X-Amz-Date": date, "X-Amz-Credential": f"{self.access_key}/{scope}"}
        query = "&".join(sorted(f"{_quoted(name)}={_quoted(value)}" for name, value in fields.items()))
        key = signing_key(self.secret_key, scope)
        rest = f"\n{query}\nhost:{self.host}\n\n{_SIGNED_HEADERS}\nUNSIGNED-PAYLOAD"
        before = f"{ALGORITHM}\n{date}\n{scope}\n"
        urls = []
        for name in keys:
            path = f"{self.before_key}{name}"
            digest = hashlib.sha256(f"GET\n{path}{rest}".encode()).hexdigest()
            signature = hmac.digest(key, f"{before}{digest}".encode(), "sha256").hex()
            urls.append(f"{self.origin}{path}?{query}&X-Amz-Signature={signature}")
        return urls


def get_url_template(url: str, key: str, secret_key: str) -> GetUrlTemplate | None:
    """Parse a URL that the library presigned to GET ``key``.

    Returns ``None`` if the URL cannot be reproduced exactly.
    """
    parts = urlsplit(url)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    signature = fields.pop("X-Amz-Signature", "")
    kind = (fields.get("X-Amz-Algorithm"), fields.get("X-Amz-SignedHeaders"))
    if kind != (ALGORITHM, _SIGNED_HEADERS) or not parts.path.endswith(f"/{key}"):
        return None
    access_key, _, *scope_end = fields.pop("X-Amz-Credential", "").rsplit("/", 4)
    try:
        signed_at = datetime.strptime(fields.pop("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    template = GetUrlTemplate(
        origin=f"{parts.scheme}://{parts.netloc}",
        host=signed_host(parts),
        before_key=parts.path.removesuffix(key),
        fields=fields,
        access_key=access_key,
        scope_end="/".join(scope_end),
        secret_key=secret_key,
    )
    [reproduced] = template.urls([key], signed_at)
    return template if reproduced.endswith(f"&X-Amz-Signature={signature}") else None


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")

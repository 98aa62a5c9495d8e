"""Fingerprints of requests, to detect that a key is reused for a different request."""

import hashlib
from typing import Protocol, runtime_checkable

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

_CHUNK = 1024 * 1024


@runtime_checkable
class Fingerprinted(Protocol):
    """A form that an endpoint has parsed by itself."""

    def fingerprint(self) -> bytes:
        """Return a digest of its content."""
        ...


async def fingerprint(request: Request, arguments: dict[str, object]) -> str:
    """Return a digest of method, path, query and content.

    The content is the body's bytes, except for forms, where it is the endpoint's parsed ``arguments``. A form's bytes
    differ on every attempt because browsers choose a new boundary, and a large form has been spooled to a file.
    """
    digest = hashlib.sha256()
    digest.update(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        digest.update(await request.body())
        return digest.hexdigest()
    for name in sorted(arguments):
        value = arguments[name]
        if isinstance(value, UploadFile):
            digest.update(orjson.dumps([name, value.filename, value.content_type, value.size]))
            await _add_file(digest, value)
        elif isinstance(value, str | int | None | list):
            digest.update(orjson.dumps([name, value], default=str))
        elif isinstance(value, Fingerprinted):
            digest.update(value.fingerprint())
        elif isinstance(value, BaseModel):
            digest.update(orjson.dumps([name, value.model_dump_json()]))
    return digest.hexdigest()


async def _add_file(digest: "hashlib._Hash", file: UploadFile) -> None:
    await file.seek(0)
    while chunk := await file.read(_CHUNK):
        digest.update(chunk)
    await file.seek(0)

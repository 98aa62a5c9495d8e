"""The OpenAPI document: FastAPI's own, with every error response described as a problem document (RFC 9457)."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from metastore.kit.problems.problem import MEDIA_TYPE
from metastore.kit.problems.problem_document import ProblemDocument

_REFERENCES = "#/components/schemas/{model}"
_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCES.format(model=ProblemDocument.__name__)}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request failed; `code` says why.", "content": _CONTENT},
    "5XX": {"description": "The server failed; `code` says why.", "content": _CONTENT},
}
"""The error responses of every route. With a ``4XX`` here, FastAPI documents no validation error of its own."""


def describe_errors(app: FastAPI) -> None:
    """Add the schemas to which ``ERRORS`` refers to the OpenAPI document of ``app``."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        _, definitions = models_json_schema([(ProblemDocument, "serialization")], ref_template=_REFERENCES)
        document.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document

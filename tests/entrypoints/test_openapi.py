"""The OpenAPI document describes every error."""

import asyncio
from typing import Any

import pytest

from metastore.entrypoints.http import openapi_document
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.problems.reason_codes import ReasonCode

_METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document."""
    return asyncio.run(openapi_document())


def test_the_codes_are_enums(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {"$ref": "#/components/schemas/ProblemCode"} == schemas["ProblemDocument"]["properties"]["code"]
    assert [code.value for code in ProblemCode] == schemas["ProblemCode"]["enum"]
    assert [code.value for code in ReasonCode] == schemas["ReasonCode"]["enum"]
    assert {"$ref": "#/components/schemas/ReasonCode"} in schemas["Processing"]["properties"]["reasonCode"]["anyOf"]


def test_every_error_response_is_a_problem_document(document: dict[str, Any]) -> None:
    operations = [
        operation for path in document["paths"].values() for method, operation in path.items() if method in _METHODS
    ]
    assert len(operations) > 25
    for operation in operations:
        for status in ("4XX", "5XX"):
            content = operation["responses"][status]["content"]
            assert {"$ref": "#/components/schemas/ProblemDocument"} == content["application/problem+json"]["schema"]
        assert "422" not in operation["responses"], operation["operationId"]


def test_every_reason_has_a_sentence() -> None:
    sentences = [code.sentence for code in ReasonCode]
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)

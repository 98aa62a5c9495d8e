"""The body of an error response, as the API's schema has it."""

from collections.abc import Sequence

from pydantic import ConfigDict

from metastore.kit.api.schema import Schema
from metastore.kit.problems.problem_codes import ProblemCode


class FieldProblem(Schema):
    """An invalid field of the input."""

    field: str
    message: str


class ProblemDocument(Schema):
    """The body of every error response (RFC 9457). Some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: ProblemCode
    errors: Sequence[FieldProblem] = ()

"""The ``If-Match`` precondition."""

import pytest

from metastore.features.files.representation.etags import require_match
from metastore.kit.problems.problem import Problem


@pytest.mark.parametrize("if_match", [None, "*", '"3-aa"', '"1-bb", "3-aa"', ' "3-aa" '])
def test_a_matching_condition_passes(if_match: str | None) -> None:
    require_match(if_match, '"3-aa"')


@pytest.mark.parametrize("if_match", ["", '"2-aa"', 'W/"3-aa"', "3-aa", '"3-aa', ",,", "\u2603", '"x" W/"3-aa"'])
def test_any_other_condition_is_stale(if_match: str) -> None:
    with pytest.raises(Problem, match="412 stale"):
        require_match(if_match, '"3-aa"')

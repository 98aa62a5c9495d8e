"""``If-Match``: change a resource only if it still is what the client has seen."""

import pytest

from metastore.features.files.etags import require_match
from metastore.kit.problem import Problem


@pytest.mark.parametrize("if_match", [None, "*", '"3-aa"', '"1-bb", "3-aa"', ' "3-aa" '])
def test_a_condition_that_holds_lets_the_change_pass(if_match: str | None) -> None:
    require_match(if_match, '"3-aa"')


@pytest.mark.parametrize("if_match", ["", '"2-aa"', 'W/"3-aa"', "3-aa", '"3-aa', ",,", "\u2603", '"x" W/"3-aa"'])
def test_any_other_condition_is_stale(if_match: str) -> None:
    with pytest.raises(Problem, match="412 stale"):
        require_match(if_match, '"3-aa"')

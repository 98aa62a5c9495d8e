"""Part sizes and validation of the parts that a client names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metastore.features.uploads.multipart.parts import MAX_PARTS, choose_part_size, named_parts, unquoted
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import CompletedPart, UploadTarget

MIB = 2**20


def test_files_up_to_ten_thousand_preferred_parts_keep_the_preferred_size() -> None:
    assert choose_part_size(0, 5 * MIB) == 5 * MIB
    assert choose_part_size(MAX_PARTS * 5 * MIB, 5 * MIB) == 5 * MIB


def test_larger_files_get_the_smallest_sufficient_part_size_in_whole_mebibytes() -> None:
    assert choose_part_size(MAX_PARTS * 5 * MIB + 1, 5 * MIB) == 6 * MIB


@given(size=st.integers(min_value=0, max_value=5 * 2**40), preferred=st.integers(min_value=1, max_value=64 * MIB))
def test_parts_cover_the_file_exactly_and_never_exceed_ten_thousand(size: int, preferred: int) -> None:
    target = UploadTarget("k", "u", size, choose_part_size(size, preferred))
    assert 1 <= target.part_count <= MAX_PARTS
    last = target.part_length(target.part_count)
    assert (target.part_count - 1) * target.part_size + last == size
    assert 0 <= last <= target.part_size


def parts(*numbers: int) -> list[CompletedPart]:
    return [CompletedPart(number, f'"etag-{number}"') for number in numbers]


def test_parts_may_be_named_in_any_order_and_with_quoted_etags() -> None:
    assert named_parts(parts(2, 1), 2) == [CompletedPart(1, "etag-1"), CompletedPart(2, "etag-2")]


@pytest.mark.parametrize("number", [0, -1, 3, 10_001])
def test_a_part_number_out_of_range_is_named_in_the_error(number: int) -> None:
    with pytest.raises(Problem) as caught:
        named_parts([*parts(1, 2), CompletedPart(number, "x")], 2)
    assert (caught.value.status, caught.value.code) == (400, "invalid-part")
    assert caught.value.members == {"partNumber": number}


def test_a_part_named_twice_is_rejected() -> None:
    with pytest.raises(Problem, match="listed twice") as caught:
        named_parts(parts(1, 2, 2), 2)
    assert caught.value.code == "invalid-part"


def test_the_first_missing_part_is_named_in_the_error() -> None:
    with pytest.raises(Problem) as caught:
        named_parts(parts(1, 4), 4)
    assert (caught.value.code, caught.value.members) == ("missing-part", {"partNumber": 2})


@pytest.mark.parametrize(("given_etag", "bare"), [('"abc"', "abc"), ("abc", "abc"), ('"', '"'), ('""', "")])
def test_etags_are_compared_without_their_quotes(given_etag: str, bare: str) -> None:
    assert unquoted(given_etag) == bare

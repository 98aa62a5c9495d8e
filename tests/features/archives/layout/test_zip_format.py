"""The records of a ZIP file have the announced lengths, and other programs understand them."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from metastore.features.archives.layout.members import Member
from metastore.features.archives.layout.zip_format import (
    directory_entry,
    end_records,
    entry_size,
    local_header,
    local_size,
)

SIZES = st.one_of(st.integers(0, 2**40), st.integers(2**32 - 3, 2**32 + 3))


@given(SIZES, SIZES, st.integers(-(2**33), 2**35), st.binary(min_size=1, max_size=300))
def test_records_have_the_announced_lengths(size: int, offset: int, modified_at: int, path: bytes) -> None:
    member = Member(path, size, modified_at, "id", "key")
    assert len(local_header(member, 7)) == local_size(member)
    assert len(directory_entry(member, 7, offset)) == entry_size(member, offset)


def test_zip64_is_used_exactly_where_it_is_needed() -> None:
    small, big = (Member(b"a", size, 0, "id", "key") for size in (2**32 - 2, 2**32 - 1))
    assert local_size(big) - local_size(small) == 20
    assert entry_size(big, 0) - entry_size(small, 0) == 20
    assert entry_size(small, 2**32 - 1) - entry_size(small, 2**32 - 2) == 12
    assert len(end_records(2**16 - 2, 2**32 - 2, 2**32 - 2)) == 22
    for needed in ((2**16 - 1, 0, 0), (1, 2**32 - 1, 0), (1, 0, 2**32 - 1)):
        assert len(end_records(*needed)) == 22 + 56 + 20


def test_sizes_offsets_and_times_are_read_back_from_a_directory() -> None:
    """Without their data, which zipfile reads only when a member is opened."""
    members = [
        Member("lớn/".encode(), 0, 1_700_000_001),
        Member("lớn/six gigabytes".encode(), 6 * 2**30, 1_700_000_001, "id", "key"),
        Member(b"small", 5, 1_700_000_000, "id", "key"),
    ]
    offsets = [0, 2**32 - 1, 2**41]
    entries = b"".join(directory_entry(each, 9, offset) for each, offset in zip(members, offsets, strict=True))
    # The directory is at the beginning here: offsets are counted from before it.
    content = io.BytesIO(entries + end_records(3, 0, len(entries)))
    found = zipfile.ZipFile(content).infolist()
    assert [each.filename.encode() for each in found] == [each.path for each in members]
    assert [each.file_size for each in found] == [0, 6 * 2**30, 5]
    assert [each.header_offset for each in found] == offsets
    assert found[2].date_time == (2023, 11, 14, 22, 13, 20)
    assert [each.is_dir() for each in found] == [True, False, False]
    assert {each.CRC for each in found} == {9}

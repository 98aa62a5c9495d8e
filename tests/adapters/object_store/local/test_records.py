"""The log of received parts survives torn writes."""

from metastore.adapters.object_store.local.records import RECORD_SIZE, PartRecord, decode_records

FIRST = PartRecord(1, 5, b"\x11" * 32, None)
SECOND = PartRecord(2, 7, b"\x22" * 32, "ab" * 16)


def test_records_come_back_as_they_were_written() -> None:
    """Place, size, digest and side file."""
    assert [(0, FIRST), (1, SECOND)] == list(decode_records(FIRST.encode() + SECOND.encode()))


def test_slots_never_written_count_for_nothing() -> None:
    """The log has its space from the start, filled with zeros."""
    log = bytes(RECORD_SIZE) + SECOND.encode() + bytes(3 * RECORD_SIZE)
    assert [(1, SECOND)] == list(decode_records(log))


def test_a_record_torn_at_any_byte_counts_for_nothing() -> None:
    """The ones before and after it still hold."""
    for length in range(RECORD_SIZE):
        torn = SECOND.encode()[:length].ljust(RECORD_SIZE, b"\0")
        assert [(0, FIRST), (2, FIRST)] == list(decode_records(FIRST.encode() + torn + FIRST.encode()))


def test_a_cut_off_tail_counts_for_nothing() -> None:
    """As after a crash on a file system that grows files late."""
    assert [(0, FIRST)] == list(decode_records(FIRST.encode() + SECOND.encode()[:-1]))

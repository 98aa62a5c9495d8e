"""The log of received parts tolerates torn writes."""

from metastore.adapters.object_store.local.part_log import RECORD_SIZE, PartRecord, decode_records

FIRST = PartRecord(1, 5, b"\x11" * 32, None)
SECOND = PartRecord(2, 7, b"\x22" * 32, "ab" * 16)


def test_records_round_trip() -> None:
    assert [(0, FIRST), (1, SECOND)] == list(decode_records(FIRST.encode() + SECOND.encode()))


def test_unwritten_slots_are_ignored() -> None:
    """The log is allocated at full size, filled with zeros."""
    log = bytes(RECORD_SIZE) + SECOND.encode() + bytes(3 * RECORD_SIZE)
    assert [(1, SECOND)] == list(decode_records(log))


def test_a_record_torn_at_any_byte_is_ignored() -> None:
    """The records before and after it are still read."""
    for length in range(RECORD_SIZE):
        torn = SECOND.encode()[:length].ljust(RECORD_SIZE, b"\0")
        assert [(0, FIRST), (2, FIRST)] == list(decode_records(FIRST.encode() + torn + FIRST.encode()))


def test_a_truncated_last_record_is_ignored() -> None:
    """This can happen after a crash on a file system with delayed allocation."""
    assert [(0, FIRST)] == list(decode_records(FIRST.encode() + SECOND.encode()[:-1]))

"""Tuning the allocator changes only speed."""

from metastore.entrypoints.objects.tuning import keep_freed_memory


def test_memory_is_still_allocated_and_freed() -> None:
    keep_freed_memory()
    assert [bytes(2**size).count(0) for size in range(25)] == [2**size for size in range(25)]

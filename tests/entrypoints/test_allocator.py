"""The allocator's settings affect speed only."""

from metastore.entrypoints.objects.allocator import keep_freed_memory


def test_memory_can_be_allocated_and_freed() -> None:
    keep_freed_memory()
    assert [bytes(2**size).count(0) for size in range(25)] == [2**size for size in range(25)]

<<<<<<< HEAD
"""Tuning the allocator changes only speed."""
=======
"""The allocator's settings affect speed only."""
>>>>>>> main

from metastore.entrypoints.objects.tuning import keep_freed_memory


<<<<<<< HEAD
def test_memory_is_still_allocated_and_freed() -> None:
=======
def test_memory_can_be_allocated_and_freed() -> None:
>>>>>>> main
    keep_freed_memory()
    assert [bytes(2**size).count(0) for size in range(25)] == [2**size for size in range(25)]

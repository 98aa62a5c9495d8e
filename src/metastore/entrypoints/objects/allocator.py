"""Tune the C library's memory allocator for the data plane. Affects speed and memory alone.

Has no effect unless the C library is glibc.
"""

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """Let the C library keep freed memory, instead of returning it and faulting it in again for each piece of a body.

    Saves a tenth of the processor time of an upload. Resident memory stays at its maximum, which the data plane limits:
    call it after what takes memory at the start of a process, such as hashing a password.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)
        mallopt(_M_TOP_PAD, 16 * 2**20)
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)

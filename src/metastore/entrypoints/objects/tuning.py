"""What the process and server around the data plane should be set to; measured, and without effect on behaviour."""

import ctypes

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """Let the C library keep freed memory instead of giving it back and faulting it in again for each piece of a body.

    Saves a tenth of the processor time of an upload. Resident memory stays what it was at its highest, which the data
    plane bounds. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)
    mallopt(_M_TOP_PAD, 16 * 2**20)
    mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)

"""Block system calls in a child process, so that injected code cannot reach anything outside it.

The limit on open files already prevents opening anything. The filter makes that permanent (a process of root
could raise the limit again) and protects the user's other processes, above all the parent: the child can
neither trace nor signal them, nor execute another program.

The filter is a seccomp program (``seccomp(2)``, ``bpf(2)``) that makes the listed calls fail with ``EPERM`` in every
thread. Where the kernel or the processor does not support it, the child runs with its resource limits only.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Mapping

_CALLS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "open": 2, "openat": 257, "openat2": 437, "creat": 85, "open_by_handle_at": 304,
        "socket": 41, "connect": 42, "io_uring_setup": 425, "memfd_create": 319,
        "execve": 59, "execveat": 322, "fork": 57, "vfork": 58,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
        "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438,
        "setrlimit": 160, "prlimit64": 302, "unshare": 272, "setns": 308, "mount": 165,
        "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
    },
    "aarch64": {
        "openat": 56, "openat2": 437, "open_by_handle_at": 265,
        "socket": 198, "connect": 203, "io_uring_setup": 425, "memfd_create": 279,
        "execve": 221, "execveat": 281,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438,
        "setrlimit": 164, "prlimit64": 261, "unshare": 97, "setns": 268, "mount": 40,
        "bpf": 280, "perf_event_open": 241, "userfaultfd": 282,
    },
}  # fmt: skip
"""The numbers of the blocked system calls, by processor architecture."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _ARCHITECTURE = 0, 4
_X32_NUMBERS = 0x40000000
"""The system call numbers of the x32 ABI start here. All of them are blocked."""
_CAPABILITIES_VERSION = 0x20080522


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def block_system_calls() -> None:
    """Install the filter; it cannot be removed. ``PR_SET_NO_NEW_PRIVS`` must be set before."""
    machine = platform.machine()
    if machine not in _CALLS:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    code = _filter(_ARCHITECTURES[machine], _CALLS[machine].values())
    program = _Program(len(code) // 8, code)
    libc.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(program))


def drop_capabilities() -> None:
    """Drop all capabilities, for a child that root started."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.capset(struct.pack("=Ii", _CAPABILITIES_VERSION, 0), bytes(24))


def _filter(architecture: int, blocked: Iterable[int]) -> bytes:
    refuse = _instruction(_RETURN, _REFUSE)
    instructions = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, architecture, 1, 0),
        refuse,
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, _X32_NUMBERS, 0, 1),
        refuse,
    ]
    for number in blocked:
        instructions += [_instruction(_EQUAL, number, 0, 1), refuse]
    return b"".join([*instructions, _instruction(_RETURN, _ALLOW)])


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)

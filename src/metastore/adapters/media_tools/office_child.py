"""Runs an office program where it can do no harm. Started by ``office`` as a program of its own.

In namespaces of its own it sees no network, no process but its own, and a root made of memory, with the system's
programs and fonts to read and nothing else: no file of this machine that a document could want to show. The document
comes on standard input, its PDF leaves on standard output. When the first process ends, all others and all that they
wrote are gone. Where namespaces cannot be had, it ends with ``NO_ISOLATION`` before anything is run.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NO_ISOLATION = 97
_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""A mount, control group, host name, IPC, user, process and network namespace."""
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/etc/fonts",
    "/etc/libreoffice",
    "/etc/ld.so.cache",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_ROOT = Path("/tmp")  # noqa: S108  covered by an empty file system of our own before anything is put there
_USER = 1000
"""Who it is there. Not 0, so that running a program gives up every power over the namespaces."""
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse">
<value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, on a document of how many bytes and which suffix, and how much it may take."""

    program: str
    size: int
    suffix: str
    cpu_seconds: int
    memory: int
    written: int
    made: int


def main() -> None:
    """Do what the arguments say; without a document, only see whether it could be done."""
    order = Order(**json.loads(sys.argv[1]))
    try:
        _enter_namespaces()
        # Only children are in the new namespace of processes; the first of them is its heart.
        first = _fork(lambda: _first(order))
    except OSError:
        sys.exit(NO_ISOLATION)
    _, status = os.waitpid(first, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 127)


def _first(order: Order) -> int:
    try:
        _make_root(order)
    except OSError:
        return NO_ISOLATION
    if not order.size:
        return 0
    document = Path("/tmp/document").with_suffix(order.suffix)  # noqa: S108  ours alone
    with document.open("wb") as file:
        left = order.size
        while left and (data := sys.stdin.buffer.read(min(left, 1 << 20))):
            file.write(data)
            left -= len(data)
    profile = Path("/tmp/profile/user")  # noqa: S108
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_SETTINGS)
    program = _fork(lambda: _run(order, document))
    # Others of its processes end up here, too.
    while os.wait()[0] != program:
        pass
    with contextlib.suppress(OSError), document.with_suffix(".pdf").open("rb") as made:
        sys.stdout.buffer.write(made.read(order.made + 1))
        sys.stdout.buffer.flush()
    return 0


def _run(order: Order, document: Path) -> int:
    for limit, value in (
        (resource.RLIMIT_AS, order.memory),
        (resource.RLIMIT_CPU, order.cpu_seconds),
        (resource.RLIMIT_FSIZE, order.written),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    options = ["--headless", "--norestore", "--nologo", "--nolockcheck", "--nodefault", "--nofirststartwizard"]
    options += [
        "-env:UserInstallation=file:///tmp/profile",
        "--convert-to",
        "pdf",
        "--outdir",
        str(document.parent),
        str(document),
    ]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "SAL_USE_VCLPLUGIN": "svp"}  # noqa: S108
    os.execve(order.program, [order.program, *options], environment)  # noqa: S606  no shell is the point


def _enter_namespaces() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(_NEW))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_USER} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_USER} {group} 1")


def _make_root(order: Order) -> None:
    _mount("none", Path("/"), "", _REC | _PRIVATE)
    program = Path(order.program)
    home = program.parent.parent if program.parent.name == "program" else program.parent
    visible = [Path(path) for path in _SYSTEM]
    if not any(home.is_relative_to(path) for path in visible):
        visible.append(home)
    # What is to be seen is opened before our own file system covers it.
    opened = [(path, os.open(path, os.O_PATH)) for path in visible if path.exists() and not path.is_symlink()]
    links = [(path, path.readlink()) for path in visible if path.is_symlink()]
    _mount("tmpfs", _ROOT, "tmpfs", _NOSUID | _NODEV, f"size={2 * order.written},mode=755")
    for path, link in links:
        _place(path).symlink_to(link)
    for path, number in opened:
        _show(path, number)
    for name in _DEVICES:
        _place(Path(name)).touch()
        _mount(name, _place(Path(name)), "", _BIND)
    for name in ("tmp", "proc"):
        _place(Path(f"/{name}")).mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # Containers may forbid it; most goes without.
        _mount("proc", _ROOT / "proc", "proc", _NOSUID | _NODEV)
    os.chroot(_ROOT)
    os.chdir("/tmp")  # noqa: S108


def _show(path: Path, number: int) -> None:
    """Let the path be seen, to read alone."""
    place = _place(path)
    if stat.S_ISDIR(os.fstat(number).st_mode):
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    _mount(f"/proc/self/fd/{number}", place, "", _BIND)
    # What the mount underneath forbids must stay forbidden, or the kernel refuses.
    forbidden = os.statvfs(place).f_flag & ~_RDONLY
    _mount("none", place, "", _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV | forbidden)
    os.close(number)


def _place(path: Path) -> Path:
    place = _ROOT / path.relative_to("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _mount(source: str, place: Path, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    kind_or_none, options_or_none = kind.encode() or None, options.encode() or None
    _check(libc.mount(source.encode(), os.fsencode(place), kind_or_none, ctypes.c_ulong(flags), options_or_none))


def _check(answer: int) -> None:
    if answer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _fork(work: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os._exit(work())
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()

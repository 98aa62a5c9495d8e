"""Run LibreOffice in Linux namespaces of its own. This is a separate program, which ``office`` starts.

In the namespaces there is no network, no other process, and a root file system in memory that contains only the
system's programs and fonts, read-only: no file that a document could include. The document is read from standard
input, the PDF is written to standard output. When the first process in the namespaces ends, all others end with it, and
everything they wrote is gone. If namespaces are not available, the exit status is ``NO_ISOLATION`` and nothing is run.
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
_CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Mount, cgroup, UTS, IPC, user, PID and network namespaces."""
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_VISIBLE_PATHS = (
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
_ROOT = Path("/tmp")  # noqa: S108  an empty file system is mounted there first
_USER_ID = 1000
"""User and group id inside the namespaces. Not 0, so that executing a program drops all capabilities."""
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
class Conversion:
    """The program to run, the size and suffix of the document, and the limits in seconds and bytes."""

    program: str
    size: int
    suffix: str
    cpu_seconds: int
    memory: int
    written: int
    pdf_size: int


def main() -> None:
    """Run the conversion given as an argument; with a size of 0, only check whether isolation is available."""
    conversion = Conversion(**json.loads(sys.argv[1]))
    try:
        _enter_namespaces()
        # Only children enter the new PID namespace; it ends with the first of them.
        first = _fork(lambda: _convert(conversion))
    except OSError:
        sys.exit(NO_ISOLATION)
    _, status = os.waitpid(first, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 127)


def _convert(conversion: Conversion) -> int:
    try:
        _make_root(conversion)
    except OSError:
        return NO_ISOLATION
    if not conversion.size:
        return 0
    document = Path("/tmp/document").with_suffix(conversion.suffix)  # noqa: S108  in a file system of our own
    with document.open("wb") as file:
        left = conversion.size
        while left and (data := sys.stdin.buffer.read(min(left, 1 << 20))):
            file.write(data)
            left -= len(data)
    profile = Path("/tmp/profile/user")  # noqa: S108
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_SETTINGS)
    program = _fork(lambda: _run(conversion, document))
    # The first process of a PID namespace also inherits the orphans of LibreOffice.
    while os.wait()[0] != program:
        pass
    with contextlib.suppress(OSError), document.with_suffix(".pdf").open("rb") as pdf:
        sys.stdout.buffer.write(pdf.read(conversion.pdf_size + 1))
        sys.stdout.buffer.flush()
    return 0


def _run(conversion: Conversion, document: Path) -> int:
    for limit, value in (
        (resource.RLIMIT_AS, conversion.memory),
        (resource.RLIMIT_CPU, conversion.cpu_seconds),
        (resource.RLIMIT_FSIZE, conversion.written),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    null = os.open("/dev/null", os.O_RDWR)
    for standard_stream in (0, 1, 2):
        os.dup2(null, standard_stream)
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
    os.execve(conversion.program, [conversion.program, *options], environment)  # noqa: S606  no shell is needed


def _enter_namespaces() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(_CLONE_NEW))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_USER_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_USER_ID} {group} 1")


def _make_root(conversion: Conversion) -> None:
    """Mount a root file system in memory that shows the visible paths, and change into it."""
    _mount("none", Path("/"), "", _REC | _PRIVATE)
    program = Path(conversion.program)
    home = program.parent.parent if program.parent.name == "program" else program.parent
    visible = [Path(path) for path in _VISIBLE_PATHS]
    if not any(home.is_relative_to(path) for path in visible):
        visible.append(home)
    # Opened before the new file system hides them.
    descriptors = [(path, os.open(path, os.O_PATH)) for path in visible if path.exists() and not path.is_symlink()]
    links = [(path, path.readlink()) for path in visible if path.is_symlink()]
    _mount("tmpfs", _ROOT, "tmpfs", _NOSUID | _NODEV, f"size={2 * conversion.written},mode=755")
    for path, link in links:
        _mount_point(path).symlink_to(link)
    for path, descriptor in descriptors:
        _bind_read_only(path, descriptor)
    for name in _DEVICES:
        _mount_point(Path(name)).touch()
        _mount(name, _mount_point(Path(name)), "", _BIND)
    for name in ("tmp", "proc"):
        _mount_point(Path(f"/{name}")).mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # Containers may forbid it; conversions rarely need it.
        _mount("proc", _ROOT / "proc", "proc", _NOSUID | _NODEV)
    os.chroot(_ROOT)
    os.chdir("/tmp")  # noqa: S108


def _bind_read_only(path: Path, descriptor: int) -> None:
    """Make an opened path visible below the new root, read-only."""
    target = _mount_point(path)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    _mount(f"/proc/self/fd/{descriptor}", target, "", _BIND)
    # The kernel refuses to clear flags of the underlying mount.
    inherited = os.statvfs(target).f_flag & ~_RDONLY
    _mount("none", target, "", _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV | inherited)
    os.close(descriptor)


def _mount_point(path: Path) -> Path:
    target = _ROOT / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    kind_or_none, options_or_none = kind.encode() or None, options.encode() or None
    _check(libc.mount(source.encode(), os.fsencode(target), kind_or_none, ctypes.c_ulong(flags), options_or_none))


def _check(status: int) -> None:
    if status:
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

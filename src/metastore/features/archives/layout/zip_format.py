"""The records of a ZIP file: the part of the format (PKWARE APPNOTE 6.3.10) that archives here need.

* Members are stored without compression (method 0, §4.4.5), so their sizes are known in advance. Most bytes in a drive
  are compressed already.
* Sizes and CRC-32 are in the local header (§4.3.7), not in a data descriptor (§4.3.9): a reader that does not seek
  cannot find the end of a stored member otherwise. The CRC-32 has a fixed width, so no offset depends on it.
* Names are UTF-8, and flag 11 says so (§4.4.4, Appendix D), for those in ASCII as well.
* Zip64 (§4.5.3, §4.3.14 and §4.3.15) is used for exactly those sizes, offsets and counts that need it. All of them are
  known before the first byte is written, so no space has to be reserved for it.
* Times are Unix times in the extended timestamp field (Info-ZIP, 0x5455). The MS-DOS time beside it (§4.4.6), which has
  no time zone, is UTC.
* A reader starts at the end (§4.3.6): the end of central directory record (§4.3.16), then the central directory
  (§4.3.12), whose entries have the offsets of the local headers.
"""

import struct
from datetime import UTC, datetime

from metastore.features.archives.layout.members import Member

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_ENTRY = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_END_64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<IIQI")
_TIME_FIELD = struct.Struct("<HHBi")

_MAX_32 = 0xFFFFFFFF
"""In a field of four bytes: see the zip64 field."""
_MAX_16 = 0xFFFF
_UTF_8 = 1 << 11
_STORED = 0
_PLAIN, _WITH_FOLDERS, _ZIP64 = 10, 20, 45
"""The versions of the format that are needed to extract (§4.4.3)."""
_MADE_BY_UNIX = 3 << 8 | _ZIP64
_FILE_MODE, _FOLDER_MODE = 0o100644 << 16, 0o40755 << 16 | 0x10
_LAST_TIME = 2**31 - 1
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


def local_size(member: Member) -> int:
    """Return the length of the member's local header in bytes."""
    return _LOCAL.size + len(member.path) + _TIME_FIELD.size + (20 if member.size >= _MAX_32 else 0)


def entry_size(member: Member, offset: int) -> int:
    """Return the length of the member's entry in the central directory in bytes."""
    return _ENTRY.size + len(member.path) + _TIME_FIELD.size + len(_entry_zip64(member, offset))


def local_header(member: Member, crc32: int) -> bytes:
    """Return the record that precedes the member's bytes."""
    big = member.size >= _MAX_32
    size = _MAX_32 if big else member.size
    extra = _time_field(member) + (struct.pack("<HHQQ", 1, 16, member.size, member.size) if big else b"")
    needed, (date, time) = _version(member, zip64=big), _dos_time(member.modified_at)
    fields = (0x04034B50, needed, _UTF_8, _STORED, time, date, crc32, size, size, len(member.path), len(extra))
    return _LOCAL.pack(*fields) + member.path + extra


def directory_entry(member: Member, crc32: int, offset: int) -> bytes:
    """Return the member's entry in the central directory; ``offset`` is that of its local header."""
    zip64 = _entry_zip64(member, offset)
    size = min(member.size, _MAX_32)
    extra = _time_field(member) + zip64
    needed, (date, time) = _version(member, zip64=bool(zip64)), _dos_time(member.modified_at)
    mode = _FOLDER_MODE if member.is_folder else _FILE_MODE
    fields = (0x02014B50, _MADE_BY_UNIX, needed, _UTF_8, _STORED, time, date, crc32, size, size)
    rest = (len(member.path), len(extra), 0, 0, 0, mode, min(offset, _MAX_32))
    return _ENTRY.pack(*fields, *rest) + member.path + extra


def end_records(count: int, directory_offset: int, directory_size: int) -> bytes:
    """Return the records that end an archive of ``count`` members."""
    records = b""
    if count >= _MAX_16 or directory_offset >= _MAX_32 or directory_size >= _MAX_32:
        rest = (_MADE_BY_UNIX, _ZIP64, 0, 0, count, count, directory_size, directory_offset)
        records = _END_64.pack(0x06064B50, _END_64.size - 12, *rest)
        records += _LOCATOR_64.pack(0x07064B50, 0, directory_offset + directory_size, 1)
    counted = min(count, _MAX_16)
    where = (min(directory_size, _MAX_32), min(directory_offset, _MAX_32))
    return records + _END.pack(0x06054B50, 0, 0, counted, counted, *where, 0)


def _entry_zip64(member: Member, offset: int) -> bytes:
    values = [member.size, member.size] if member.size >= _MAX_32 else []
    if offset >= _MAX_32:
        values.append(offset)
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _version(member: Member, *, zip64: bool) -> int:
    if zip64:
        return _ZIP64
    return _WITH_FOLDERS if b"/" in member.path else _PLAIN


def _time_field(member: Member) -> bytes:
    return _TIME_FIELD.pack(0x5455, 5, 1, max(0, min(member.modified_at, _LAST_TIME)))


def _dos_time(modified_at: int) -> tuple[int, int]:
    """Return date and time as MS-DOS has them, in steps of two seconds."""
    moment = datetime.fromtimestamp(modified_at, UTC)
    year = max(_FIRST_YEAR, min(moment.year, _LAST_YEAR))
    date = (year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2

"""Archives: files and folders as one ZIP file, made while it is sent.

``POST /api/v1/archives`` returns a signed URL, below which the archive has an exact length and a strong ETag from the
start, and can be resumed at any byte. Nothing is stored for it: each request reads the tree again. The archive is a
pure function of the selection: two requests give the same bytes as long as nothing in it changes. When something has
changed, the ETag has too, and a client that resumes with ``If-Range`` gets the new archive from its beginning.

**One version per response.** A request first takes a *snapshot* of the tree (``layout.snapshot``): size, ETag, and
where in the archive each page of up to 500 files begins. Up to 10,000 members are kept in memory, and the response goes
on from them whatever happens to the tree meanwhile, as long as the objects exist. Pages beyond that are read again when
their turn comes and compared with their digest in the snapshot. If a page has changed, or an object is gone, the
connection is aborted: the client sees an incomplete response and never a mixture.

**Limits.** An archive has at most 1,000,000 files and 100,000 folders; a selection has at most 300 items, since the URL
holds their IDs. Memory is that of 10,000 members, of the folders, and some kilobytes for each thousand files.

**CRC-32.** Headers and central directory hold the CRC-32 of each file, which size and ETag do not depend on. It is kept
with the file: small uploads compute it from the bytes in memory. For files that were uploaded in parts, the first
response that needs it reads them once more, before the first byte that depends on it and while earlier members are sent
(``checksums``). To do that after every upload would make large uploads four times as expensive, for files that may
never be in an archive.

**Why not stream-zip.** That library writes from the beginning only. To resume at an offset it would have to produce and
drop everything before it, reading every object on the way. ``layout.zip_format`` is small because it needs only a part
of the format (see there), and finds an offset in the page list of the snapshot.

Where to find what:

* ``endpoints``: HTTP in, events out (``events``).
* ``service``: who may read what, and the archive of a selection. ``urls``: the signed URLs.
* ``layout``: names, records and offsets, as pure functions, and the snapshot. ``transfer``: the bytes of a range.
* ``checksums``: the CRC-32 of files. ``schemas``: API shapes. ``feature``: what ``bootstrap`` installs.
"""

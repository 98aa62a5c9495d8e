"""The embedded object store: a folder, and presigned URLs that the product serves itself.

**On disk**, all readable by the owner alone (folders 0700, files 0600)::

    root/
      lock                        held (flock) by the one process that writes here
      uploads/<upload id>/        an open multipart upload
        upload.json               what was asked for; written last at create: without it the folder counts for nothing
        data                      all bytes of the object to be, allocated at create
        parts.log                 one record a received part (``records``), allocated at create
        side-<hex>                a part that was sent again while its place in ``data`` was taken
      objects/<2 hex>/<40 hex>/   an object; named by the BLAKE3 of its key
        object.json               key, size, ETag, checksum, content type
        data                      the bytes, nothing else, so that the server can send the file as it is
      trash/<id>/                 on its way out

**A part** is written in place, at ``(number - 1) * part_size`` of ``data``, and hashed on the way. Then ``data`` is
synced, then the record is written and synced, and only then does the client get its 2xx: a record exists only for bytes
that are on disk. Acknowledged bytes are never written over: a part whose place is taken, by an acknowledged part or by
another request that is writing right now, goes to a side file, and it is the later record that holds. So a crash in the
middle of a resend loses nothing, and bytes and ETag never mix. Since ``data`` and ``parts.log`` have all their space
from the start, a disk that fills up later does not stop uploads that were begun.

**Complete** checks names, ETags and sizes against the records, copies parts from side files in place (rare; cut off, it
is done again, since the side files hold until the new records are on disk), writes ``object.json``, and renames the
folder of the upload to that of the object. That one rename makes bytes and facts appear together, refuses to replace
an object, and takes the same time at any size. ``upload.json`` and ``parts.log`` are removed afterwards. **Put** takes
the same way without ``upload.json``. **Abort** and **delete** rename the folder to ``trash`` and remove it there.

**After a crash** at any point each folder is whole and in one place. The start removes ``trash`` and uploads without
``upload.json``; loading an upload removes side files that no record names; and everything else is as acknowledged.

**In one process** complete and abort have an upload to themselves (``turnstile``); two processes that write are refused
by the lock. One that only reads may look on (``read_only``): it sees whole objects or none.

**ETags and checksums.** A part's ETag is the BLAKE3 of its bytes; an object's checksum is ``blake3:<hex>`` of the bytes
when it had one part, else ``blake3-<part size>:<hex>`` over the parts' digests; its ETag derives from that.

**Known limits.** The store trusts the disk to keep what it said was synced. A disk that hangs, hangs the call. A file
system without ``fallocate`` makes create slow. Deleting frees the bytes when the last reader lets go.
"""

from metastore.adapters.object_store.local.store import LocalObjectStore

__all__ = ["LocalObjectStore"]

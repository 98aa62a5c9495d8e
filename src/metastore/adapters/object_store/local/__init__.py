"""Embedded object store: a folder, with presigned URLs that the product serves itself.

**On disk.** Only the owner has access (folders 0700, files 0600)::

    root/
      lock                        held (flock) by the product that writes to this store
      uploads/<upload id>/        an open multipart upload
        upload.json               its metadata; written last by create: without it the folder is not an upload
        data                      all bytes of the future object, allocated by create
        parts.log                 one record for each received part (``part_log``), allocated by create
        side-<hex>                a part that was sent again while its place in ``data`` was occupied
      objects/<2 hex>/<40 hex>/   an object; the folder is named after the BLAKE3 hash of the key
        object.json               key, size, ETag, checksum, content type
        data                      the bytes and nothing else, so that the server can send the file as it is
      trash/<id>/                 a folder that is being deleted

**Parts** are written in place, at ``(number - 1) * part_size`` of ``data``, and hashed on the way. Then ``data`` is
synced, the record is written and synced, and the client gets its 2xx response: a record exists only for bytes that are
on disk. Acknowledged bytes are never overwritten. If the place of a part is occupied, by an acknowledged part or by a
concurrent request, the new part goes to a side file, and the later record wins. A crash while a part is sent again
therefore loses nothing, and the bytes always match the ETag. ``data`` and ``parts.log`` have all their space from the
start, so open uploads can finish on a disk that fills up later.

**Complete** checks the named parts, ETags and sizes against the records, copies parts from side files into place,
writes ``object.json``, and renames the upload's folder to the object's. (Copying is rare; if it is interrupted it is
repeated, since side files are kept until the new records are on disk.) The single rename publishes bytes and metadata
together, fails if the object exists, and takes the same time at any size. ``upload.json`` and ``parts.log`` are removed
afterwards. **Put** follows the same steps without ``upload.json``; several small objects are put together, between two
syncs of the whole file system (``small_object``). Creates, small parts, completes and small puts that come at the same
time are made together, between two such syncs (``shared_syncs``). **Abort** and **delete** rename the folder into
``trash`` and remove it there.

**After a crash** at any point, every folder is whole and in one place. Startup removes ``trash`` and all uploads
without ``upload.json``; loading an upload removes side files that no record names. Everything else is as acknowledged.

**Concurrency.** Complete and abort have exclusive access to their upload (``shared_exclusive_lock``). The lock file
keeps a second product from writing. A process that opens the store ``read_only`` needs no lock; it sees whole objects
only.

**Two processes** of one product may share a store, and the lock, which one inherits from the other. One of them
receives all parts, so it alone has the state of open uploads; the other calls it to list, complete and abort
(``remote_uploads``), and to close its files of deleted objects. Each creates uploads and puts, reads and deletes
objects by itself, since all of these appear and disappear by a rename. Only the first of them, at its start, removes
what a crash left behind.

**ETags and checksums.** A part's ETag is the BLAKE3 hash of its bytes. The checksum of an object uploaded as one part
is ``blake3:<hex>`` of its bytes; otherwise it is ``blake3-<part size>:<hex>`` of the concatenated part hashes. The
object's ETag is derived from its checksum.

**Known limits.** The store relies on the disk to keep what it reported as synced. If the disk hangs, so do the calls.
Create is slow on a file system without ``fallocate``. The bytes of a deleted object are freed once its last reader
closes it.

* ``store``: ``LocalObjectStore``. ``presigned_urls``: sign and verify URLs.
* ``open_uploads``: which uploads are open. ``remote_uploads``: the same in another process, by calls to it.
* ``upload``: the state of an open upload, guarded by a ``shared_exclusive_lock``. ``upload_files``: its folder.
* ``part_writer``: receive a part. ``small_part``: write one that is whole in memory. ``part_log``: the format of
  ``parts.log``. ``small_object``: put, one or many.
* ``shared_syncs``: syncs that are shared by changes which come at the same time.
* ``layout``: paths. ``metadata``: the JSON documents. ``integrity``: checks of objects.
* ``open_files``: objects open for reading. ``durable_io``: writing and syncing. ``direct_io``: writing around
  the page cache. ``thread_pools``: threads for both.
* ``errors``: translate errors of the operating system into those of the port.
"""

from metastore.adapters.object_store.local.store import LocalObjectStore

__all__ = ["LocalObjectStore"]

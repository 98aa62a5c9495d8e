"""A client of the public HTTP API: uploads and downloads that survive interruptions.

It imports nothing from the server, works with any server that has the API, and never holds a whole file in memory.

**Uploads.** ``initiate`` announces the file. Its parts are sent, several at a time, to the presigned URLs in the
response, and ``complete`` lists their ETags. Network errors and the statuses 408, 429 and 5xx are retried with growing
pauses, until nothing has been transferred for the time that the ``RetryPolicy`` allows. Expired URLs are replaced. A
record of each upload is kept (``upload_records``), so that a later run resumes it. Without a record, the client looks
for an unfinished upload of the same name and size in the server's list. It resumes that upload if the ETags of all its
parts are the BLAKE3 or MD5 digests of the same bytes of the file. Finally, the file's checksum is compared, if the
server reports one.

**Batches.** Files under 1 MiB are sent together, up to 200 in one request, if there are several of them. Records of the
batches let a later run skip what is uploaded.

**Downloads.** A file is fetched in pieces, several at a time, into ``NAME.part``, which has its full length from the
start. ``NAME.part.json`` lists the complete pieces, so that a later run resumes the download. The file gets its name
after its length and checksum have been verified.

**Sessions.** A session can be kept for each server under ``$XDG_STATE_HOME/metastore``, readable by its owner only.
Processes that share a session take turns to refresh it. Cookies are sent to the server's API only; presigned URLs need
none.

* ``upload``, ``download``: one file. ``upload_records``, ``partial_file``: what they keep to resume.
* ``batch``: small files together. ``batch_records``: what a later run needs to know of them.
* ``sources``: local files. ``remote_tree``: files and folders on the server.
* ``api``: calls to the API. ``responses``: their models. ``storage``: connections to the object store.
* ``sessions``: sessions that are kept. ``state_files``: the private files below the state folder.
* ``retries``, ``parallel``, ``checksums``, ``progress``, ``errors``: shared by all of these.
"""

"""Files that arrive whole, one or hundreds in a request.

The bytes are stored under new keys first. Then one transaction charges the quota, creates folders and files, starts the
sagas of files that need processing, and records the events. There is no upload row: until the commit nothing has
happened, and after it everything has. A process that dies in between leaves objects that no file refers to, under keys
of a block that the database knows (``object_keys``).

* ``service``: storing one file, or a batch of which each file succeeds or fails by itself.
* ``content``: the bytes of such a file, in memory or in a temporary file.
* ``batch_form``: the form of a batch, parsed as it arrives.
* ``object_keys``: the keys, and deleting the objects that a crash has left.
"""

"""The media feature's objects in the object store: where they are, and how they are written, deleted and checked.

* ``keys``: the object keys of thumbnails, init segments and segments.
* ``storage``: store one small object with retries; delete many objects.
* ``source_file``: the uploaded file that everything is derived from.
* ``cleanup``: delete derived objects now, or record an event that deletes them later.
* ``events``: the event that the feature publishes.
* ``integrity``: what ``fsck`` and a move to another store need to know about derived objects.
"""

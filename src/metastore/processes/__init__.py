"""Work that spans features.

* ``relay``: publishes recorded events from the outbox.
* ``consumers``: subscribes the features' consumers to the event bus.
* ``reaper``: runs the features' recurring jobs.
* ``ended_sessions``: closes the sockets of ended sessions.
* ``reprocess``: restarts the processing of existing files.
* ``fsck``: compares the database with the object store.
* ``move``: copies an instance to another database and object store.
"""

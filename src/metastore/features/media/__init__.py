"""Media: probe uploaded files, create their thumbnails and renditions, and play them.

Everything is *derived*: it can be created again from the uploaded file, is stored below that file's object key and is
deleted with it. Rows say which objects exist; the store is never listed.

* ``probe``, ``thumbnails``, ``renditions``: the saga steps that ``ingest`` combines into the saga of a file.
* ``playback``: streams, playlists, subtitles and previews.
* ``objects``: the object keys, and how derived objects are stored, deleted and checked; the published events.
* ``service``: the steps together; deletes everything derived from a file.
* ``endpoints``, ``consumers``: HTTP, and the events that the feature consumes.
* ``models``, ``repository``: the tables, and the SQL statements of the saga steps.
"""

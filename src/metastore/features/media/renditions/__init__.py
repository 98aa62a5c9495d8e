"""The saga steps ``package`` and ``transcode``: HLS renditions of a video or audio file.

* ``steps``: run the transcoder, resume after an interruption, compensate.
* ``ladder``: which renditions a file should have.
* ``state``: which renditions a file has so far, and whether it can be played.
* ``job_recorder``: write the rows of one transcoder job.
* ``segment_storage``: store segments concurrently and record their rows in order.
* ``bandwidth``: the bandwidth figures of a rendition.
"""

"""The transcoder: create HLS renditions in a sandboxed child process, one process per job.

* ``sandboxed_transcoder``: the implementation of the port; runs a job and validates its output.
* ``job``: the sandbox task; reads the source once and passes its packets on to the writers of all renditions.
* ``demuxer``: read packets and decode frames. ``timeline``: convert timestamps to the common time line.
* ``video``, ``audio``: copy or encode streams.
* ``mp4``: write fragmented MP4 and emit it to the parent process.

Nothing is imported here: a child process would load it before its task.
"""

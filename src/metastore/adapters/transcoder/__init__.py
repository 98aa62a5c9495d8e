"""The transcoder that works in the sandbox's child processes, one for each job.

The parent's side (``transcoder``) names the task and takes what is made. In the child, ``task`` reads the source once
and hands its packets to what was asked for: the picture as it is (``copied_picture``), tracks of sound (``sounds``),
the rungs of the ladder (``ladder``, by one decoding, drawn by ``drawing``). Each writes its segments as fragmented MP4
(``fragments``) in the times of one clock (``times``).

Nothing is imported here, since a child would load it before its task.
"""

"""Films and pictures: what they are, and the small picture that stands for each.

The steps of a file's processing live here; ``processes.ingest`` binds them into the saga of its arrival. What they make
is *derived*: it can be made again from the file, lies in the object store under keys that follow from the file's own,
and goes with it.
"""

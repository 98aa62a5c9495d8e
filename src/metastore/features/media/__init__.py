"""Films, sounds, pictures and documents: what they are, what stands for each, and how they are played.

The steps of a file's processing live here (``probing``, ``picturing``, ``rendering``); ``media.ingest`` binds them
into the saga of its arrival. What they make is *derived*: it can be made again from the file, lies in the object store
below the file's own key, and goes with it. Rows tell of each object before it is there, or how many may be there
without one; nothing is found by listing the store.
"""

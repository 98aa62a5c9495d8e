"""Move a whole instance to another database and another object store.

The product is stopped meanwhile, and the source is only read. The exception is unfinished uploads, whose parts cannot
be moved: they are aborted in the source if the operator asks for it. The move can be killed at any point; running it
again continues it.

1. The target is claimed (``target``). An empty database gets the schema and, in place of the schema revision, a mark
   that names the instance being moved. Until the move is complete, no product starts on this database and no other
   instance can be moved to it. A target with data of its own is refused, as is a store with objects that the source
   does not have.
2. Every object is copied under its key, several at a time, and verified (``objects``): the checksum computed by the
   target is compared with that of the source's bytes, and those bytes with the checksum recorded in the source. Objects
   that exist already are only verified.
3. Every row of every table is copied page by page and compared value by value (``tables``, ``rows``); then rows are
   counted. Rows that the source no longer has, because it was used between two runs, are deleted. Foreign keys are
   dropped meanwhile and created again at the end, which proves that all references are valid.
4. Events in the queues of the in-process bus, including dead ones, return to the outbox, so that any bus can deliver
   them. Consumers that have handled them before drop them.
5. Every file's object is checked once more (``file_etags``). Then the schema revision replaces the mark.

``mover`` runs these steps. Checksums are copied unchanged: they name their algorithm, so either store's checksums can
be computed from the bytes.
"""

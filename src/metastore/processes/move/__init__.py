"""Carrying a grown instance over to another database and another object store, whole.

The product is stopped meanwhile, and the source is only read (but for unfinished uploads, which are ended when the
operator says so: their parts cannot go along). Everything may be killed at any moment and run again; it then goes on.

1. The target is claimed: an empty database gets the schema and a mark, in the place of the schema's revision, that
   names the instance that is moving in. Until the move is over no product starts on it, and no other instance moves
   in. A target with data of its own is refused, and so is a store with objects that the source does not have.
2. Every object is copied under its key, a few at a time, and verified: the checksum that the target computed itself is
   compared with that of the source's bytes, and those bytes with the checksum that the source had noted. Objects that
   are there already are verified only.
3. Every row of every table is copied page by page, and compared value by value; then the tables are counted. Rows that
   the source no longer has (it was used between two runs) are removed. Foreign keys are put aside meanwhile and made
   anew at the end, which proves that no reference dangles.
4. Events that wait in the queues of the embedded bus go back to the outbox, dead ones too: whatever bus the new product
   uses will deliver them. Consumers that had them before notice.
5. Every file's object is looked for once more, and the mark gives way to the revision.

Checksums stay what they were: they describe themselves, so those of one store can be computed from bytes in the other.
"""

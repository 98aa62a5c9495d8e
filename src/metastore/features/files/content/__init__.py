"""The bytes of a file.

* ``sniffing``: content type detection, by ``signatures`` that a table of magic numbers cannot express, and by suffix.
* ``processing``: status changes of a file while it is processed.
* ``cleanup``: deleting the objects of purged files.
* ``crcs``: the CRC-32 of files, for archives.
* ``integrity``: what the store checks read, and marking files as damaged or recovered.
"""

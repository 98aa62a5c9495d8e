"""What is where in an archive.

* ``safe_names``: names that every system can extract. ``folders``: the folders of a selection, in order.
* ``members``: what an archive contains. ``zip_format``: the records of a ZIP file.
* ``snapshot``: sizes, offsets and the ETag of an archive, and where its members are read again.
"""

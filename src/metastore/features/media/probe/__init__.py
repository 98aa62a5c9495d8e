"""The saga step ``probe``: find out what an uploaded file contains.

* ``step``: run the probe and save its result.
* ``results``: convert a probe result to and from its JSON column.
"""

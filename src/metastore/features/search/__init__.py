"""Search for files and folders by name, in an index of its own that is updated from events.

* ``consumers``: the events that update the index. ``service``: updating and querying it.
* ``repository``: the statements that update it. ``search_queries``: the statements that search it.
* ``index_keys``: what the databases index: substrings and labels. ``positions``: the order of an owner's documents.
* ``text_normalization``: how text is compared, split into terms and highlighted.
* ``categories``: the categories of files that searches can be limited to.
"""

"""Checks of the tree that no linter makes: ``make lint-tree``, or ``PYTHONPATH=.ci python -m checks``.

* ``lengths``: no source is longer than 400 lines.
* ``locks``: lock files name no registry and lack no package.
* ``folders``: a folder of a feature or of the kit shows at most a dozen names.
* ``cycles``: no module of the package imports itself through others.
* ``names``: identifiers, files and folders use the terms of the glossary.
* ``prose``: docstrings, comments and pages do so, too.
* ``maps``: pages that list modules list exactly those that exist.
* ``settings``: the tables of settings agree with the code.

Each check is a function that takes the tree and returns complaints. ``complaint`` defines a complaint: a place, and a
line that says what to do. ``tree`` defines the tree that checks read, and ``glossary`` reads ``docs/glossary.md``.
"""

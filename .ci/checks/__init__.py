"""Checks of the tree that no linter makes: ``make lint-tree``, or ``PYTHONPATH=.ci python -m checks``.

* ``lengths``: no source is longer than 400 lines.
* ``locks``: lock files name no registry and leave out no package.
* ``folders``: a folder of a feature or of the kit shows at most a dozen names.
* ``cycles``: no module of the package imports itself through others.
* ``names``: identifiers, files and folders use the terms of the glossary.
* ``prose``: docstrings, comments and pages do, too.
* ``maps``: the pages that list modules list the ones there are.
* ``settings``: the tables of settings say what the code says.

Each check is a function from the tree to its complaints. ``complaint`` is the form they share: one line that names the
place and says what to do. ``tree`` is what they read, and ``glossary`` reads ``docs/glossary.md``.
"""

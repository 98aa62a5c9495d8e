"""``python -m metastore`` and the ``metastore`` command."""

from metastore.entrypoints.cli import main

if __name__ == "__main__":
    main()

"""The ``metastore`` command, also available as ``python -m metastore``."""

import os
import sys


def main() -> None:
    """Run the command line."""
    from metastore.entrypoints.cli import main as run  # noqa: PLC0415  only after the search path has been cleaned

    run()


def remove_working_directory() -> None:
    """Undo what ``python -m`` does: put the working directory first on the module search path.

    Otherwise a ``json.py`` in the folder where the product is started would be executed. The ``metastore`` script and
    ``python -I -m metastore`` are not affected.
    """
    source_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib is not imported yet
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != source_root:  # noqa: PTH109  the same
        del sys.path[0]


if __name__ == "__main__":
    remove_working_directory()
    main()

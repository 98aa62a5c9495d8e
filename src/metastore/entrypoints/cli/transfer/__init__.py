"""The client's commands: ``metastore upload``, ``download``, ``login`` and ``logout``.

They run the transfers of ``metastore.client`` with progress bars and prompts. ``login`` keeps a session for later
commands. With ``--username`` a command opens a session of its own and ends it.

Exit codes: 0 everything succeeded, 1 something failed (each failure is reported by name, with the reason), 2 wrong
usage, 130 interrupted by Ctrl-C.

* ``commands``: the commands and their options.
* ``uploads``, ``downloads``: transfer several files. ``progress``: their progress bars.
* ``connection``: the options for server and account. ``sign_in``: signing in and out.
"""

from cyclopts import App

_COMMANDS = {
    "upload": "Upload files and folders.",
    "download": "Download files and folders.",
    "login": "Sign in, and stay signed in for later commands.",
    "logout": "End the session that `login` keeps.",
}


def register(app: App) -> None:
    """Add the client's commands to ``app``. Their code is loaded when one is called."""
    for name, summary in _COMMANDS.items():
        app.command(f"metastore.entrypoints.cli.transfer.commands:{name}", name=name, help=summary)

"""The terminal client: ``metastore upload``, ``download``, ``login`` and ``logout``.

It speaks the public HTTP API alone, so it works against any server, and it never holds a whole file in memory.

**Upload.** The file is announced (``initiate``), its parts are PUT a few at a time straight from the file to the
addresses that came back, and ``complete`` names their ETags. Faults of the network, 5xx and 429 are tried again with
growing pauses, until ``--patience`` seconds have passed without any part arriving; addresses that ran out of time are
replaced by fresh ones. What was begun is remembered in a record (``records``), so the same command goes on where an
earlier run ended. When that record is gone, the server's list of unfinished uploads is looked through instead; one of
the same name and size is gone on with when the ETags of all its parts are the BLAKE3 or MD5 digests of the same bytes
of the file. At the end the file's checksum, where the server tells one, is compared.

**Download.** A file comes in pieces, a few at a time, into ``NAME.part``, which has its full length from the start.
``NAME.part.json`` beside it tells which pieces have arrived, for the next run to go on. At the end length and checksum
are verified; only then the file gets its name.

**Who is asking.** ``login`` keeps a session for each server under ``$XDG_STATE_HOME/metastore``, readable by its owner
alone; runs that share one take turns to refresh it. With ``--username`` a run opens a session of its own and ends it.
Cookies go to the server's own API and nowhere else: the addresses of parts and downloads carry their permission.

Exit codes: 0 all done, 1 something failed (each by name, with the reason), 2 wrong usage, 130 stopped by Ctrl-C.
"""

from cyclopts import App

_COMMANDS = {
    "upload": "Upload files and folders.",
    "download": "Download files and folders.",
    "login": "Sign in, and stay signed in for later commands.",
    "logout": "End the session that `login` keeps.",
}


def register(app: App) -> None:
    """Add the client's commands to ``app``; their code is loaded when one is called."""
    for name, summary in _COMMANDS.items():
        app.command(f"metastore.entrypoints.cli.transfer.commands:{name}", name=name, help=summary)

"""Accounts, sessions and storage quotas.

* ``endpoints``: HTTP in. ``access``: the FastAPI dependencies by which every route says who may call it.
* ``service``: signing in, refreshing, signing out, listing sessions.
* ``accounts``: registration, profiles, storage quotas, and accounts created without HTTP.
* ``sessions``: tokens, cookies, revocation. ``credentials``: password hashing, limits on attempts.
* ``identity``: valid usernames and e-mail addresses, roles.
* ``repository``, ``models``, ``schemas``, ``events``: SQL statements, tables, API shapes, published events.
"""

"""Accounts, sign-in sessions and storage quotas.

* ``access``: who is calling; the FastAPI dependencies that every other feature's endpoints use.
* ``quota``: reserving, using and giving back storage, one conditional statement each.
* ``service``: the rules of registering, signing in, refreshing and signing out.
* ``passwords``, ``tokens``, ``identity``, ``throttle``: what the rules are made of.
* ``commands``: accounts made without HTTP: the first admin at start, users from the command line.
"""

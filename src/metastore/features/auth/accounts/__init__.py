"""User accounts.

* ``service``: registration and changes of one's own profile and password.
* ``quota``: the storage quota of an account: reservations and use.
* ``provisioning``: accounts created without HTTP: the first admin, and users from the command line.
"""

"""Checking passwords.

* ``passwords``: hashing and verifying.
* ``throttling``: limits on attempts per account and per address.
"""

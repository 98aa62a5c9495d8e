"""What identifies a user.

* ``names``: valid usernames, e-mail addresses and display names, and how they are compared.
* ``roles``: roles and account statuses.
"""

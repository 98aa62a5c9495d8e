"""Notifications: saved first, then sent to the user's open sockets.

* ``consumers``: the events that users are notified of.
* ``service``: creating notifications, listing them, and marking them as read.
* ``messages``: the types of notifications, with an English message for each.
"""

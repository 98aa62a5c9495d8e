"""Notifications: stored first, then sent to the user's open sockets."""

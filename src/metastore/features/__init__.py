"""What the product can do, one folder a capability.

From the bottom up (a feature calls only those below it, and tells those above by recording a fact):

* ``auth``: accounts, sign-in sessions, storage quotas.
* ``files``: folders, files, their names, trash.
* ``uploads``: files coming in, in parts or whole.
* ``notifications``: what a user is told, saved and live.
* ``search``: finding files and folders by their names.
* ``audit``: who did what, append-only.
* ``analytics``: how much the product is used, by the day.
* ``dead_events``: events that failed too often, for an admin to look at and bring back.

Inside each: ``endpoints`` (HTTP in, schema out) and ``consumers`` (event in, service call out) call ``service`` (the
rules; never commits), which calls ``repository`` (every SQL statement); ``models`` are the tables, ``schemas`` the API
shapes, ``events`` the facts it publishes.
"""

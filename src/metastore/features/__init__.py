"""The capabilities of the product, one package each.

They are listed from the bottom layer up. A feature calls only features below it. It reaches those above it by recording
an event.

* ``auth``: accounts, sign-in sessions, storage quotas.
* ``files``: folders and files, their names, the trash.
* ``uploads``: multipart uploads, and small files in one request.
* ``media``: probing, thumbnails, renditions, playback and previews.
* ``archives``: files and folders as one ZIP file, made while it is sent.
* ``sharing``: links that open a file or folder to whoever has their URL.
* ``notifications``: messages to users, saved and live.
* ``search``: finding files and folders by name.
* ``audit``: the append-only audit trail.
* ``analytics``: daily figures about usage.
* ``dead_events``: dead letters, for an admin to inspect and redeliver.

Modules have the same names in each. ``endpoints`` (HTTP in, schema out) and ``consumers`` (event in, service call out)
call ``service`` (the rules; it never commits), which calls ``repository`` (every SQL statement). ``models`` are the
tables, ``schemas`` the API shapes, ``events`` the published events. ``feature`` declares all of this to ``bootstrap``.
"""

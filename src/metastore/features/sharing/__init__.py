"""Share links: opening a file or folder to whoever has a URL.

* ``service``: what owners do: create, change, revoke and rotate links, and see who used them.
* ``link_tokens``: the secret in a link's URL, derived so that a stolen database opens no link.
* ``public``: what visitors do: open a link, look at what it leads to, download.
* ``problems``: the responses for links that are over or not open.
* ``schemas``, ``endpoints``, ``models``, ``repository``, ``events``: as in every feature.

A link writes a grant (``files.tree.grants``) whose subject is the link. Whatever visitors request is found by
``files.tree.access`` through that grant, like what a user requests; nothing here decides about a file. A link has a
*version*, which every change of its password, permission, expiry or limit raises, in the grant too: who opened an
earlier version has to open the link again.
"""

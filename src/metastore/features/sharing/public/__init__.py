"""Share links for visitors, who need no account.

* ``service``: opening a link: its state, its password, counting accesses.
* ``guessing``: limits on wrong passwords.
* ``visitor_grants``: the signed tokens that prove that a visitor has opened a link.
* ``visitors``: the marker of routes for visitors, and the cookie that carries their grant.
* ``items``: what a link leads to: lists, previews, streams and downloads, with the URLs that visitors get.
* ``endpoints``, ``schemas``: the API.
"""

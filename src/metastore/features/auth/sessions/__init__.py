"""What sessions consist of. Signing in, refreshing and signing out are in ``auth.service``.

* ``tokens``: access and refresh tokens. ``cookies``: how browsers carry them.
* ``revocation``: ending sessions early.
* ``request_context``: the client's address and user agent. ``problems``: the error responses of authentication.
"""

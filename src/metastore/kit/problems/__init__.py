"""Errors as users and API clients see them.

* ``problem``: ``Problem``, an error response (RFC 9457) that services raise.
* ``problem_codes``: the machine codes of problems.
* ``reason_codes``: the machine codes and sentences of failed uploads and failed processing.
"""

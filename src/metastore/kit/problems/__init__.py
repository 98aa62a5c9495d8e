"""Errors as users and API clients see them.

* ``problem``: ``Problem``, an error response (RFC 9457) that services raise.
* ``problem_document``: its body, as the API's schema has it.
* ``problem_codes``: the machine codes of problems.
* ``reason_codes``: the machine codes and sentences of failed uploads and failed processing.
"""

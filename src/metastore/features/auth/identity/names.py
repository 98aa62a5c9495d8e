"""Validation and comparison of usernames, e-mail addresses and display names.

Usernames are compared by their NFKC case-folded form (Unicode UAX #15, UTS #31), so that names that differ only in case
or width are one account. E-mail addresses are compared in the same way; only their syntax is checked.
"""

import re
import unicodedata

_USERNAME_MARKS = frozenset("._-")
_EMAIL_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}")
_DOMAIN_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")


def comparison_key(name: str) -> str:
    """Return the form in which names are compared: NFKC, case-folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def normalize_username(name: str) -> str:
    """Validate a username and return it in NFKC.

    Raises:
        ValueError: it is not 3 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit.
    """
    name = unicodedata.normalize("NFKC", name)
    if not 3 <= len(name) <= 64:
        raise ValueError("must have 3 to 64 characters")
    if not name[0].isalnum() or not all(_in_username(character) for character in name):
        raise ValueError("may have letters, digits, dots, underscores and hyphens, and starts with a letter or digit")
    return name


def normalize_email(email: str) -> str:
    """Validate an e-mail address and return it without surrounding whitespace.

    Raises:
        ValueError: it is not syntactically an address.
    """
    email = validate_text(email.strip())
    local, _, domain = email.rpartition("@")
    labels = domain.split(".")
    is_valid = (
        _EMAIL_LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(labels) > 1
        and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)
    )
    # Case folding can lengthen the text, and the folded form has the same limit.
    if not is_valid or not email.isprintable() or len(comparison_key(email)) > 254:
        raise ValueError("must be an e-mail address")
    return email


def normalize_display_name(name: str) -> str:
    """Validate a display name and return it in NFC without surrounding whitespace.

    Raises:
        ValueError: it is empty, longer than 100 characters, or contains control characters.
    """
    name = unicodedata.normalize("NFC", validate_text(name)).strip()
    if not name:
        raise ValueError("must not be empty")
    if len(name) > 100:
        raise ValueError("must have at most 100 characters")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name):
        raise ValueError("must not have control characters")
    return name


def validate_text(text: str) -> str:
    """Return ``text`` unchanged if it can be stored.

    Raises:
        ValueError: it contains NUL or lone surrogates, which the databases cannot store.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be Unicode text without NUL")
    return text


def _in_username(character: str) -> bool:
    # Combining marks (M) are vowels in many scripts.
    return character in _USERNAME_MARKS or unicodedata.category(character)[0] in "LM" or character.isdecimal()

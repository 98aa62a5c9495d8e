"""Names of accounts: what is allowed, and when two names are one.

Usernames are compared by their NFKC case-folded form (Unicode UAX #15 and TR31's identifier profile), so that names
which look alike in case or width are one account. E-mail addresses are compared the same way as a whole; only their
syntax is checked, delivery proves the rest.
"""

import re
import unicodedata

_USERNAME_MARKS = frozenset("._-")
_EMAIL_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}")
_DOMAIN_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")


def folded(name: str) -> str:
    """The form by which names are compared: NFKC, case-folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def checked_username(name: str) -> str:
    """``name`` in NFKC.

    Raises:
        ValueError: it is not 3 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit.
    """
    name = unicodedata.normalize("NFKC", name)
    if not 3 <= len(name) <= 64:
        raise ValueError("must have 3 to 64 characters")
    if not name[0].isalnum() or not all(_in_username(character) for character in name):
        raise ValueError("may have letters, digits, dots, underscores and hyphens, and starts with a letter or digit")
    return name


def checked_email(email: str) -> str:
    """``email`` without surrounding space.

    Raises:
        ValueError: it has not the form of an address.
    """
    email = checked_text(email.strip())
    local, _, domain = email.rpartition("@")
    labels = domain.split(".")
    sound = (
        _EMAIL_LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(labels) > 1
        and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)
    )
    # Folding can lengthen; the folded form has the same limit.
    if not sound or not email.isprintable() or len(folded(email)) > 254:
        raise ValueError("must be an e-mail address")
    return email


def checked_display_name(name: str) -> str:
    """``name`` in NFC without surrounding space.

    Raises:
        ValueError: nothing is left of it, or it has control characters.
    """
    name = unicodedata.normalize("NFC", checked_text(name)).strip()
    if not name:
        raise ValueError("must not be empty")
    if len(name) > 100:
        raise ValueError("must have at most 100 characters")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name):
        raise ValueError("must not have control characters")
    return name


def checked_text(text: str) -> str:
    """``text`` as it is.

    Raises:
        ValueError: it has NUL or lone surrogates, which neither database can keep.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be Unicode text without NUL")
    return text


def _in_username(character: str) -> bool:
    # Marks (M) spell vowels in many scripts.
    return character in _USERNAME_MARKS or unicodedata.category(character)[0] in "LM" or character.isdecimal()

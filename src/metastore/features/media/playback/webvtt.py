"""WebVTT timestamps."""


def timestamp(milliseconds: int) -> str:
    """Format a time as ``01:02:03.456``."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"

"""Quick imports of the server's packages."""

import contextlib
import gc
import sys
from collections.abc import Iterator

_OPTIONAL = ("rich",)
"""Libraries that other libraries import if they find them, for what a server never does: structlog paints tracebacks
with Rich, while ours are plain."""
_OBSOLETE = "pydantic.v1"
"""What FastAPI imports to find out, for each parameter, that it is no model of Pydantic 1."""


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import quickly in the block: collect no garbage, and leave out libraries that no server uses.

    Imports make hundreds of thousands of objects that live as long as the process. Looking for garbage among them takes
    a fifth of the time that the imports take, and later up to a quarter of a second at once, in which no request is
    served. What is alive at the end of the block is therefore excluded from later collections.

    Pydantic 1 stays hidden after the block: FastAPI looks for it again when it puts the routes together.
    """
    gc.disable()
    sys.modules.setdefault(_OBSOLETE, None)  # type: ignore[arg-type]  # makes the import of a module fail
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes the import of a module fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.freeze()
        gc.enable()

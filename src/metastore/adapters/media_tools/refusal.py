"""How a task refuses."""

from metastore.adapters.sandbox.refusal import RefusedError

__all__ = ["RefusedError"]

"""The audit trail: an append-only log of who did what, to what, and from where."""

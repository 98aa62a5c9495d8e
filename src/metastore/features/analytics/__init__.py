"""Usage statistics for admins, counted per day from events."""

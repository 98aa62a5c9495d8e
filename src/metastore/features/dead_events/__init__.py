"""Dead-letter administration: admins list events that a consumer failed on too often, and redeliver them."""

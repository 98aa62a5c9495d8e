"""What a user is told: saved first, then sent to the user's open sockets."""

"""Events that a consumer failed on too often: an admin looks at them and has them tried again."""

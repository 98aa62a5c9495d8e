"""How much the product is used: counted by the day from what is heard, for admins."""

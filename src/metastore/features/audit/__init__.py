"""Who did what, on what, from where: written down once and never changed."""

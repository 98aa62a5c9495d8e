"""Finding files and folders by their names: an index of its own, kept up to date by what is heard of them."""

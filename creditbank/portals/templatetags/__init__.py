"""Template tags of the bank's pages."""

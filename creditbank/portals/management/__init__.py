"""Commands of the portals."""

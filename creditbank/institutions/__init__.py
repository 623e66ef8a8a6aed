"""Who records: institutions, their members, streams and keys, and the outcome catalogue."""

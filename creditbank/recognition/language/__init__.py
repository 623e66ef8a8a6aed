"""Rules and programmes as data: read, checked, compared, said in words (pure)."""

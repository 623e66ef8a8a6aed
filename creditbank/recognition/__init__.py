"""Mutual recognition: rules that say what an outcome is worth elsewhere, and decisions under them."""

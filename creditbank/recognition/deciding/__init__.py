"""Decisions that anyone can compute again: what they freeze, and how they are made (pure)."""

"""A learner's outcomes held against one rule: findings with reasons (pure)."""

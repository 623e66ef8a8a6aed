"""Learners: who holds an account, in columns that only the account's key opens."""

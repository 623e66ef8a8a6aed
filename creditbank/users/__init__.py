"""Signing in: who a person is to the bank's pages, and nothing else."""

"""The signer: the one process that holds the bank's private keys.

It follows the log, recomputes the tree from the stored rows and publishes
signed checkpoints; over a Unix socket it answers typed requests of web and
workers, who never hold a key. It knows neither Django nor the rest of the bank:
only the standard library, psycopg, cryptography and `creditbank.proofs`.
Start it with `python -m creditbank.signer`; `client` is for all the others.
"""

"""Proofs: canonical bytes, Merkle trees, signed notes, commitments. Pure, without Django."""

"""The tables of the account book.

Rows are written by `log.py` alone and, but for the head and the stream heads,
never changed: grants and always-on triggers refuse it (migration
`0002_append_only`). The signed bytes in `note`, `leaf` and `opening` are the
truth; every other column is an index of them that `audit.py` recomputes.
"""

from __future__ import annotations

from django.db import models


class CreditAccount(models.Model):
    """A learner's credit account (学分账户). The number is all the ledger knows of a person."""

    number = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__gte=1, number__lt=1 << 55), name="account_number_range"
            ),
        ]


class StreamHead(models.Model):
    """Where an institution's numbered series stands: the next number, the last manifest's root."""

    stream = models.TextField(primary_key=True)
    next_seq = models.BigIntegerField()
    prev_root = models.BinaryField()

    class Meta:
        db_table = "ledger_streamhead"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_seq__gte=0), name="streamhead_seq_range"
            ),
        ]


class Manifest(models.Model):
    """A signed list of one submission, itself a leaf of the log, directly before its entries."""

    idx = models.BigIntegerField(primary_key=True)
    stream = models.TextField()
    first_seq = models.BigIntegerField()
    n = models.IntegerField()
    note = models.BinaryField()

    class Meta:
        db_table = "ledger_manifest"
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "first_seq"], name="manifest_once_per_number"
            ),
            models.CheckConstraint(
                condition=models.Q(n__gte=1, n__lte=10000), name="manifest_count_range"
            ),
            models.CheckConstraint(
                condition=models.Q(idx__gte=0, first_seq__gte=0), name="manifest_not_negative"
            ),
        ]


class Entry(models.Model):
    """One line of the account book."""

    idx = models.BigIntegerField(primary_key=True)
    acct = models.BigIntegerField()
    dkey = models.BigIntegerField()
    kind = models.SmallIntegerField()
    qty = models.IntegerField()
    leaf = models.BinaryField()
    opening = models.BinaryField()

    class Meta:
        db_table = "ledger_entry"
        constraints = [
            models.UniqueConstraint(
                fields=["acct", "dkey"], include=["kind", "qty"], name="entry_once_per_outcome"
            ),
        ]


class Tile(models.Model):
    """A full tile of 256 hashes and the root over them (C2SP tlog-tiles); never a partial one."""

    pk = models.CompositePrimaryKey("level", "n")
    level = models.SmallIntegerField()
    n = models.BigIntegerField()
    data = models.BinaryField()
    root = models.BinaryField()

    class Meta:
        db_table = "ledger_tile"


class Head(models.Model):
    """The one row that every writer locks: how many leaves, and the frontier over them."""

    id = models.SmallIntegerField(primary_key=True)
    size = models.BigIntegerField()
    frontier = models.BinaryField()
    root = models.BinaryField()

    class Meta:
        db_table = "ledger_head"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="head_is_one_row")]


class Checkpoint(models.Model):
    """A signed tree head (检查点), linked to the one before it. Written by the signer alone."""

    size = models.BigIntegerField(primary_key=True)
    note = models.BinaryField()
    chain = models.BinaryField()

    class Meta:
        db_table = "ledger_checkpoint"


class SubmissionKey(models.Model):
    """The key a client gave a hosted submission, so that sending it again changes nothing.

    `mac` covers the other columns under a key of the key store: the one ledger
    table whose content no institution signs.
    """

    pk = models.CompositePrimaryKey("institution_id", "key")
    institution_id = models.BigIntegerField()
    key = models.TextField()
    digest = models.BinaryField()
    idx = models.BigIntegerField()
    mac = models.BinaryField()

    class Meta:
        db_table = "ledger_submissionkey"


class ForkEvidence(models.Model):
    """Two signed manifests for one number: the second one, kept as proof of equivocation."""

    pk = models.CompositePrimaryKey("stream", "digest")
    stream = models.TextField()
    first_seq = models.BigIntegerField()
    note = models.BinaryField()
    digest = models.BinaryField()

    class Meta:
        db_table = "ledger_forkevidence"


class LearnerKey(models.Model):
    """An account's secret, wrapped under a key kept elsewhere. Deleting the row forgets the person."""

    acct = models.BigIntegerField(primary_key=True)
    wrapped = models.BinaryField()
    kek_id = models.TextField()

    class Meta:
        db_table = "learner_key"


class GuardState(models.Model):
    """When somebody last looked whether the ledger's guards are in place, and what was wrong."""

    id = models.SmallIntegerField(primary_key=True)
    checked_at = models.DateTimeField()
    problems = models.JSONField()

    class Meta:
        db_table = "guard_state"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="guard_state_is_one_row")
        ]

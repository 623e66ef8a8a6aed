"""Link every checkpoint to the one before it (`creditbank.proofs.chains`), those already there too.

The trigger that refuses changes is off for this one statement, in the same
transaction and under the table's exclusive lock: nobody sees it off.
"""

from django.db import migrations, models

# "llcb/checkpoints/v1" NUL, as in creditbank/proofs/chains.py.
LINK = r"""
CREATE FUNCTION ledger_checkpoint_link(previous bytea, note bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256('llcb/checkpoints/v1\000'::bytea
        || coalesce(previous, decode(repeat('00', 32), 'hex')) || note)
$$;
"""

FOLLOWS = """
CREATE OR REPLACE FUNCTION ledger_checkpoint_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size > (SELECT size FROM ledger_head WHERE id = 1)
        OR (SELECT c.size FROM ledger_checkpoint c ORDER BY c.size DESC LIMIT 1) >= NEW.size
    THEN
        RAISE EXCEPTION 'a checkpoint must be new and of a committed head'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_checkpoint_follows';
    END IF;{chained}
    RETURN NEW;
END $$;
"""
CHAINED = """
    IF NEW.chain IS DISTINCT FROM ledger_checkpoint_link(
        (SELECT c.chain FROM ledger_checkpoint c ORDER BY c.size DESC LIMIT 1), NEW.note)
    THEN
        RAISE EXCEPTION 'a checkpoint must be linked to the one before it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_checkpoint_linked';
    END IF;"""

FORWARD = (
    LINK
    + """
ALTER TABLE ledger_checkpoint ADD COLUMN chain bytea;
ALTER TABLE ledger_checkpoint DISABLE TRIGGER ledger_checkpoint_unchanged;
DO $$
DECLARE
    checkpoint record;
    link bytea;
BEGIN
    FOR checkpoint IN SELECT size, note FROM ledger_checkpoint ORDER BY size LOOP
        link := ledger_checkpoint_link(link, checkpoint.note);
        UPDATE ledger_checkpoint SET chain = link WHERE size = checkpoint.size;
    END LOOP;
END $$;
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_checkpoint_unchanged;
ALTER TABLE ledger_checkpoint
    ALTER COLUMN chain SET NOT NULL,
    ADD CONSTRAINT checkpoint_chain_length CHECK (octet_length(chain) = 32);
"""
    + FOLLOWS.format(chained=CHAINED)
)
BACKWARD = (
    FOLLOWS.format(chained="")
    + """
ALTER TABLE ledger_checkpoint DROP COLUMN chain;
DROP FUNCTION ledger_checkpoint_link(bytea, bytea);
"""
)


class Migration(migrations.Migration):
    """The chain of the checkpoints."""

    dependencies = [("ledger", "0003_forgetting")]

    operations = [
        migrations.RunSQL(
            FORWARD,
            BACKWARD,
            state_operations=[
                migrations.AddField(
                    "Checkpoint", "chain", models.BinaryField(), preserve_default=False
                )
            ],
        ),
    ]

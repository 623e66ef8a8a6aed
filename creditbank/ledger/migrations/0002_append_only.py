"""Make the account book append-only, contiguous and never overdrawn, in the database itself.

Statement-level triggers with transition tables: a row-level trigger makes COPY
three times slower. All are ENABLE ALWAYS, so that `session_replication_role`
does not switch them off.
"""

from django.db import migrations

DENY = """
CREATE FUNCTION ledger_deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % on % refused', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

APPEND_ONLY_TABLES = (
    "ledger_account",
    "ledger_manifest",
    "ledger_entry",
    "ledger_tile",
    "ledger_checkpoint",
    "ledger_submissionkey",
    "ledger_forkevidence",
)

CHECKS = """
ALTER TABLE ledger_entry
    ADD CONSTRAINT entry_sign_follows_kind CHECK (
        CASE
            WHEN kind IN (1, 5, 6) THEN qty >= 0
            WHEN kind IN (2, 3, 4, 7) THEN qty <= 0
            ELSE qty = 0
        END),
    ADD CONSTRAINT entry_public_in_account_zero CHECK (
        (acct = 0) = (kind IN (16, 17, 32, 33, 34, 48, 64)) AND acct >= 0 AND idx >= 1);
ALTER TABLE ledger_tile
    ADD CONSTRAINT tile_is_full CHECK (
        octet_length(data) = 8192 AND octet_length(root) = 32 AND level >= 0 AND n >= 0),
    ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE ledger_streamhead
    ADD CONSTRAINT streamhead_root_length CHECK (octet_length(prev_root) = 32);
ALTER TABLE ledger_head
    ADD CONSTRAINT head_root_length CHECK (octet_length(root) = 32 AND size >= 0),
    SET (fillfactor = 20);
ALTER TABLE ledger_submissionkey
    ADD CONSTRAINT submission_key_digest_length CHECK (octet_length(digest) = 32);
"""

CONTIGUITY = """
CREATE FUNCTION ledger_manifest_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lowest bigint;
    expected bigint;
    row record;
BEGIN
    SELECT min(idx) INTO lowest FROM new_rows;
    IF lowest IS NULL THEN RETURN NULL; END IF;
    SELECT m.idx + m.n + 1 INTO expected FROM ledger_manifest m
        WHERE m.idx < lowest ORDER BY m.idx DESC LIMIT 1;
    expected := coalesce(expected, 0);
    IF expected > 0 AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.idx = expected - 1) THEN
        RAISE EXCEPTION 'gap: the manifest before index % has no entries', expected
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_contiguous';
    END IF;
    FOR row IN SELECT idx, n FROM new_rows ORDER BY idx LOOP
        IF row.idx <> expected THEN
            RAISE EXCEPTION 'gap: manifest at index %, expected %', row.idx, expected
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_contiguous';
        END IF;
        expected := row.idx + row.n + 1;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_manifest_follows AFTER INSERT ON ledger_manifest
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_manifest_follows();

CREATE FUNCTION ledger_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lowest bigint;
    highest bigint;
    total bigint;
    debits boolean;
    manifests bigint;
    promised bigint;
    first_manifest bigint;
    promised_end bigint;
BEGIN
    SELECT min(idx), max(idx), count(*), bool_or(qty < 0)
        INTO lowest, highest, total, debits FROM new_rows;
    IF total = 0 THEN RETURN NULL; END IF;
    SELECT count(*), sum(m.n), min(m.idx), max(m.idx + m.n)
        INTO manifests, promised, first_manifest, promised_end
        FROM ledger_manifest m WHERE m.idx >= lowest - 1 AND m.idx <= highest;
    IF manifests = 0 OR first_manifest <> lowest - 1 OR promised_end <> highest
        OR promised <> total OR highest - lowest + 2 <> total + manifests
        OR (manifests > 1 AND EXISTS (
            SELECT 1 FROM new_rows r JOIN ledger_manifest m ON m.idx = r.idx
            WHERE m.idx >= lowest AND m.idx <= highest))
    THEN
        RAISE EXCEPTION 'gap: entries % to % do not fill their manifests', lowest, highest
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_contiguous';
    END IF;
    IF debits AND EXISTS (
        SELECT 1 FROM ledger_entry e
        WHERE e.acct IN (SELECT DISTINCT r.acct FROM new_rows r WHERE r.qty < 0 AND r.kind <> 7)
            AND e.kind BETWEEN 1 AND 5
        GROUP BY e.acct HAVING sum(e.qty) < 0)
    THEN
        RAISE EXCEPTION 'an account would fall below 0'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_never_overdrawn';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entry_follows AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_follows();

CREATE FUNCTION ledger_head_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    highest bigint;
    last bigint;
BEGIN
    -- By the ends of two indexes: "is there any row behind" may be planned as a reading of all.
    SELECT m.idx + m.n + 1 INTO highest FROM ledger_manifest m ORDER BY m.idx DESC LIMIT 1;
    SELECT e.idx INTO last FROM ledger_entry e ORDER BY e.idx DESC LIMIT 1;
    IF NEW.size <= OLD.size OR NEW.size IS DISTINCT FROM highest
        OR NEW.size - 1 IS DISTINCT FROM last
    THEN
        RAISE EXCEPTION 'the head must follow the rows: % after %, rows end at %',
            NEW.size, OLD.size, highest
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_head_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_head_follows BEFORE UPDATE ON ledger_head
    FOR EACH ROW EXECUTE FUNCTION ledger_head_follows();

CREATE FUNCTION ledger_streamhead_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The newest manifest alone: a stream's history must not make its next entry slower.
    IF NEW.stream <> OLD.stream OR NEW.next_seq <= OLD.next_seq OR NEW.next_seq IS DISTINCT FROM (
        SELECT m.first_seq + m.n FROM ledger_manifest m
        WHERE m.stream = NEW.stream ORDER BY m.first_seq DESC LIMIT 1)
    THEN
        RAISE EXCEPTION 'a stream head must follow its manifests'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_streamhead_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_streamhead_follows BEFORE UPDATE ON ledger_streamhead
    FOR EACH ROW EXECUTE FUNCTION ledger_streamhead_follows();

CREATE FUNCTION ledger_streamhead_starts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.next_seq <> 0 OR NEW.prev_root <> decode(repeat('00', 32), 'hex') THEN
        RAISE EXCEPTION 'a stream starts at number 0'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_streamhead_starts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_streamhead_starts BEFORE INSERT ON ledger_streamhead
    FOR EACH ROW EXECUTE FUNCTION ledger_streamhead_starts();

CREATE FUNCTION ledger_checkpoint_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size > (SELECT size FROM ledger_head WHERE id = 1)
        OR (SELECT c.size FROM ledger_checkpoint c ORDER BY c.size DESC LIMIT 1) >= NEW.size
    THEN
        RAISE EXCEPTION 'a checkpoint must be new and of a committed head'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_checkpoint_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_checkpoint_follows BEFORE INSERT ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_checkpoint_follows();
"""

# SHA-256 of nothing: the root of the empty tree (RFC 6962 section 2.1).
FIRST_HEAD = """
INSERT INTO ledger_head (id, size, frontier, root)
    VALUES (1, 0, '', sha256(''::bytea));
"""


def _deny() -> str:
    statements = [DENY]
    for table in APPEND_ONLY_TABLES:
        statements.append(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION ledger_deny();"
        )
    for table in ("ledger_head", "ledger_streamhead"):
        statements.append(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION ledger_deny();"
        )
    statements.append(
        "CREATE TRIGGER ledger_head_single BEFORE INSERT ON ledger_head"
        " FOR EACH ROW EXECUTE FUNCTION ledger_deny();"
    )
    for table in (*APPEND_ONLY_TABLES, "ledger_head", "ledger_streamhead"):
        statements.append(
            f"CREATE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION ledger_deny();"
        )
    return "\n".join(statements)


ALWAYS = """
DO $$
DECLARE
    row record;
BEGIN
    FOR row IN
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relname LIKE 'ledger\\_%'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', row.relname, row.tgname);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    """Triggers, checks and the first head."""

    dependencies = [("ledger", "0001_account_book")]

    operations = [
        migrations.RunSQL(CHECKS, migrations.RunSQL.noop),
        migrations.RunSQL(FIRST_HEAD, migrations.RunSQL.noop),
        migrations.RunSQL(CONTIGUITY, migrations.RunSQL.noop),
        migrations.RunSQL(_deny(), migrations.RunSQL.noop),
        migrations.RunSQL(ALWAYS, migrations.RunSQL.noop),
    ]

"""Count every forgetting, so that each process drops the keys it holds in memory, and list whose.

In the keys' own database: the count goes up in the same transaction that deletes a key.
"""

from django.db import migrations

FORGETTING = """
CREATE TABLE forgetting (n bigint NOT NULL);
INSERT INTO forgetting VALUES (0);
CREATE TABLE forgotten (acct bigint PRIMARY KEY);
CREATE FUNCTION count_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE forgetting SET n = n + 1;
    INSERT INTO forgotten SELECT acct FROM gone;
    RETURN NULL;
END $$;
CREATE TRIGGER learner_key_forgotten AFTER DELETE ON learner_key
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_forgetting();
CREATE FUNCTION refuse_rewrapping() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.acct <> OLD.acct OR NEW.kek_id = OLD.kek_id THEN
        RAISE EXCEPTION 'a learner key never rotates; only its wrapping may change'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER learner_key_never_rotates BEFORE UPDATE ON learner_key
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrapping();
"""


class Migration(migrations.Migration):
    """The forgetting counter, in the keys' database."""

    dependencies = [("ledger", "0002_append_only")]

    operations = [
        migrations.RunSQL(FORGETTING, migrations.RunSQL.noop, hints={"keys": True}),
    ]

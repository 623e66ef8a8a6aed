"""Count every change of a link between accounts, in the transaction of the change.

An account that is somebody's first changes no link, so that opening accounts
counts nothing up and waits for nobody.
"""

from django.db import migrations

LINKAGE = """
CREATE TABLE learners_linkage (
    id smallint CONSTRAINT linkage_one_row PRIMARY KEY CHECK (id = 1),
    n bigint NOT NULL
);
INSERT INTO learners_linkage VALUES (1, 0);
CREATE FUNCTION learners_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM fresh JOIN learners_learneraccount a
        ON a.learner_id = fresh.learner_id AND a.account <> fresh.account
    ) THEN
        UPDATE learners_linkage SET n = n + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION learners_relinked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE learners_linkage SET n = n + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER learners_linked AFTER INSERT ON learners_learneraccount
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION learners_linked();
CREATE TRIGGER learners_relinked AFTER UPDATE OR DELETE ON learners_learneraccount
    FOR EACH STATEMENT EXECUTE FUNCTION learners_relinked();
ALTER TABLE learners_learneraccount ENABLE ALWAYS TRIGGER learners_linked;
ALTER TABLE learners_learneraccount ENABLE ALWAYS TRIGGER learners_relinked;
"""


class Migration(migrations.Migration):
    """The count of links, and the triggers that keep it."""

    dependencies = [("learners", "0001_learners_and_claims")]

    operations = [migrations.RunSQL(LINKAGE, migrations.RunSQL.noop)]

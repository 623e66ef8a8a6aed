"""Count every change of the register, so that each process drops what it remembers of it.

In the same transaction as the change: whoever reads the new count reads the new rows.
"""

from django.db import migrations

TABLES = (
    "institutions_institution",
    "institutions_recordingscope",
    "institutions_stream",
    "institutions_signingkey",
    "institutions_catalogueitem",
)

VERSION = """
CREATE TABLE institutions_version (n bigint NOT NULL);
INSERT INTO institutions_version VALUES (0);
CREATE FUNCTION institutions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE institutions_version SET n = n + 1;
    RETURN NULL;
END $$;
"""


def _triggers() -> str:
    return "\n".join(
        f"CREATE TRIGGER {table}_changed AFTER INSERT OR UPDATE OR DELETE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION institutions_changed();"
        for table in TABLES
    )


class Migration(migrations.Migration):
    """The register's version and the triggers that count it up."""

    dependencies = [("institutions", "0002_reference_data")]

    operations = [
        migrations.RunSQL(VERSION, migrations.RunSQL.noop),
        migrations.RunSQL(_triggers(), migrations.RunSQL.noop),
    ]

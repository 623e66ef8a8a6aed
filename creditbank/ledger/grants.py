"""Grant each role what the checked-in list says, after every migration (`creditbank.guards`)."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from creditbank.guards import APP, KEYS_GRANTS, LEDGER_GRANTS, SCHEMA_GRANTS, SIGNER, rights_on


def apply(connection: BaseDatabaseWrapper, *, schema: str) -> None:
    """Grant exactly what the lists say on every table of the schema, and take the rest away."""
    named = KEYS_GRANTS if schema == "keys" else LEDGER_GRANTS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", [schema]
        )
        tables = [name for (name,) in cursor.fetchall()]
        for role, rights in SCHEMA_GRANTS[schema].items():
            cursor.execute(f"GRANT {rights} ON SCHEMA {schema} TO {role}")
        for table in tables:
            quoted = f'{schema}."{table}"'
            cursor.execute(f"REVOKE ALL ON {quoted} FROM PUBLIC, {APP}, {SIGNER}")
            for role, rights in rights_on(table, named).items():
                cursor.execute(f"GRANT {rights} ON {quoted} TO {role}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {APP}")

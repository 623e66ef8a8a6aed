"""Balances are read from an index alone, which needs pages that vacuum has marked as visible.

Rows are only ever added: vacuum looks at new pages alone, so it may come often.
"""

from django.db import migrations

OFTEN = """
ALTER TABLE ledger_entry SET (
    autovacuum_vacuum_insert_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0.01
);
"""
AS_ELSEWHERE = """
ALTER TABLE ledger_entry RESET (
    autovacuum_vacuum_insert_threshold, autovacuum_vacuum_insert_scale_factor
);
"""


class Migration(migrations.Migration):
    """When vacuum comes to the entries."""

    dependencies = [("ledger", "0005_guards")]

    operations = [migrations.RunSQL(OFTEN, AS_ELSEWHERE)]

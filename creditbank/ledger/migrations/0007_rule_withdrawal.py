"""A published rule can be withdrawn: kind 49 stands in account 0 like the other public kinds."""

from django.db import migrations

WITH_IT = """
ALTER TABLE ledger_entry
    DROP CONSTRAINT entry_public_in_account_zero,
    ADD CONSTRAINT entry_public_in_account_zero CHECK (
        (acct = 0) = (kind IN (16, 17, 32, 33, 34, 48, 49, 64)) AND acct >= 0 AND idx >= 1);
"""
WITHOUT_IT = """
ALTER TABLE ledger_entry
    DROP CONSTRAINT entry_public_in_account_zero,
    ADD CONSTRAINT entry_public_in_account_zero CHECK (
        (acct = 0) = (kind IN (16, 17, 32, 33, 34, 48, 64)) AND acct >= 0 AND idx >= 1);
"""


class Migration(migrations.Migration):
    """The registry of kinds grew by one that is public; what it moves is 0 as of any other."""

    dependencies = [("ledger", "0006_visibility")]

    operations = [migrations.RunSQL(WITH_IT, WITHOUT_IT)]

"""The keys' triggers fire always too; and one row remembers the last look at all guards."""

from django.db import migrations, models

ALWAYS = """
ALTER TABLE learner_key ENABLE ALWAYS TRIGGER learner_key_forgotten;
ALTER TABLE learner_key ENABLE ALWAYS TRIGGER learner_key_never_rotates;
"""
ORDINARILY = """
ALTER TABLE learner_key ENABLE TRIGGER learner_key_forgotten;
ALTER TABLE learner_key ENABLE TRIGGER learner_key_never_rotates;
"""


class Migration(migrations.Migration):
    """What guards the ledger is looked after."""

    dependencies = [("ledger", "0004_checkpoint_chain")]

    operations = [
        migrations.RunSQL(ALWAYS, ORDINARILY, hints={"keys": True}),
        migrations.CreateModel(
            name="GuardState",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("checked_at", models.DateTimeField()),
                ("problems", models.JSONField()),
            ],
            options={
                "db_table": "guard_state",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="guard_state_is_one_row"
                    )
                ],
            },
        ),
    ]

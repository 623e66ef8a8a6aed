"""django-hordak's public API in a process of its own: transfers, each committed.

python -m tests.bench.hordak_peer DATABASE_URL SECONDS   -> transfers per second
"""

from __future__ import annotations

import sys
import time
from urllib.parse import urlsplit


def main(url: str, seconds: float) -> None:
    from django.conf import settings

    parts = urlsplit(url)
    settings.configure(
        SECRET_KEY="bench",
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "mptt",
            "hordak",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": parts.username,
                "PASSWORD": parts.password,
                "HOST": parts.hostname,
                "PORT": parts.port,
            }
        },
    )
    import django

    django.setup()
    from django.core.management import call_command
    from hordak.models import Account, AccountType
    from moneyed import Money

    call_command("migrate", verbosity=0)
    bank, _ = Account.objects.get_or_create(
        name="bank", defaults={"type": AccountType.asset, "currencies": ["EUR"], "code": "1"}
    )
    learners = [
        Account.objects.get_or_create(
            name=f"learner {n}",
            defaults={"type": AccountType.asset, "currencies": ["EUR"], "code": str(100 + n)},
        )[0]
        for n in range(20)
    ]
    amount = Money("3.00", "EUR")
    for learner in learners:
        bank.transfer_to(learner, amount)
    done = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        bank.transfer_to(learners[done % len(learners)], amount)
        done += 1
    print(done / (time.perf_counter() - began))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))

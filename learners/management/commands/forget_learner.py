"""`manage.py forget_learner ACCOUNT`: forget a person who asked for it on paper."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditbank.ledger.numbers import AccountNumberInvalid, parse_account
from learners import operations, queries


class Command(BaseCommand):
    help = "Forget the learner who holds an account, for good. It cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the account number, as it is printed")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            learner = queries.by_account(parse_account(options["account"]))
        except AccountNumberInvalid as error:
            raise CommandError(f"{options['account']} is no account number") from error
        if learner is None:
            raise CommandError("nobody holds this account")
        if not options["yes"] and input("Forget this person for good? [yes/no] ") != "yes":
            raise CommandError("nothing was done")
        operations.forget_learner(learner)
        self.stdout.write("Forgotten.")

"""Make, list and revoke keys for programs."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api import keys
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.users.models import User


class Command(BaseCommand):
    help = "Make, list and revoke API keys. A new key is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it")
        owner = create.add_mutually_exclusive_group(required=True)
        owner.add_argument("--institution", metavar="SLUG")
        owner.add_argument("--learner", action="store_true", help="the user's own account")
        create.add_argument("--user", required=True, help="for whom the key acts")
        create.add_argument("--label", default="", help="what it is for")
        create.add_argument("--scopes", required=True, help="separated by commas")
        create.add_argument("--days", type=int, default=365)
        revoke = actions.add_parser("revoke", help="revoke a key")
        revoke.add_argument("prefix")
        listing = actions.add_parser("list", help="list keys")
        listing.add_argument("--institution", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, "_" + options["action"])(options)
        except DomainError as error:
            facts = " ".join(f"{name}={value}" for name, value in error.facts.items())
            raise CommandError(f"{error.code}: {error} {facts}".strip()) from error

    def _create(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError("no such user")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        expires_on = today() + timedelta(days=options["days"])
        if options["learner"]:
            made = keys.create_learner_key(scopes=scopes, expires_on=expires_on, acting_user=user)
        else:
            made = keys.create_institution_key(
                institution=institutions.institution(options["institution"]),
                label=options["label"],
                scopes=scopes,
                expires_on=expires_on,
                acting_user=user,
            )
        self.stdout.write(made.token)

    def _revoke(self, options: dict[str, Any]) -> None:
        key = keys.revoke(prefix=options["prefix"].removeprefix("llcb_").partition(".")[0])
        self.stdout.write(f"{key.prefix} revoked")

    def _list(self, options: dict[str, Any]) -> None:
        slug = options["institution"]
        owner = institutions.institution(slug) if slug else None
        for key in keys.keys_of(owner):
            state = "revoked" if key.revoked_at else f"until {key.expires_on}"
            used = key.last_used_on or "never used"
            self.stdout.write(
                f"{key.prefix}  {key.owner}  {','.join(key.scopes)}  {state}  {used}  {key.label}"
            )

"""Record a file of outcomes from the command line: two people are named, and both are answerable.

    manage.py record_file FILE --institution SLUG --stream NAME \\
        --prepared-by USER --approved-by USER [--check]

Exit codes: 0 recorded, or nothing new; 1 rows refused, nothing entered;
2 wrong call, or the file cannot be read; 3 the two may not do this.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from creditbank.access import Forbidden, NotFound
from creditbank.clock import today
from creditbank.errors import DomainError, Problem
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import Institution, Stream
from creditbank.recording import files, limits, operations
from creditbank.recording.checks import Checked, check_rows
from creditbank.recording.errors import NothingNew, RowsRefused
from creditbank.recording.labels import label
from creditbank.recording.rows import RawRow
from creditbank.users.models import User

REFUSED: Final = 1
WRONG_CALL: Final = 2
NOT_ALLOWED: Final = 3
TOLD_EVERY: Final = 2.0
"""Seconds between two lines of progress."""


class Command(BaseCommand):
    help = "把一个 .xlsx 或 .csv 文件中的学习成果存入学分银行。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--institution", required=True, metavar="SLUG")
        parser.add_argument("--stream", required=True, metavar="NAME")
        parser.add_argument("--prepared-by", required=True, metavar="USER")
        parser.add_argument("--approved-by", required=True, metavar="USER")
        parser.add_argument("--check", action="store_true", help="只检查，不存入")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            institution = institutions.institution(options["institution"])
            stream = institutions.stream(options["stream"])
            clerk, reviewer = (_user(options[name]) for name in ("prepared_by", "approved_by"))
            data = options["file"].read_bytes()
            table = files.read_table(data, rows_max=limits.COMMAND_ROWS_MAX)
        except files.FileRefused as error:
            facts = "".join(f"  {name}={value}" for name, value in error.facts.items())
            raise CommandError(
                f"{error.code}: {error.sentence}{facts}", returncode=WRONG_CALL
            ) from error
        except (OSError, DomainError) as error:
            raise CommandError(str(error), returncode=WRONG_CALL) from error
        self._say(f"{options['file'].name}: {len(table.rows)} 行")
        try:
            if options["check"]:
                self._check(institution, stream, table.rows, [clerk, reviewer])
            else:
                self._record(institution, stream, table.rows, clerk, reviewer)
        except RowsRefused as error:
            self._refuse(error.problems)
        except (Forbidden, NotFound) as error:
            raise CommandError(f"{error.code}: {error}", returncode=NOT_ALLOWED) from error
        except DomainError as error:
            raise CommandError(f"{error.code}: {error}", returncode=REFUSED) from error

    def _checked(
        self,
        institution: Institution,
        stream: Stream,
        rows: tuple[RawRow, ...],
        acting: list[User],
    ) -> Checked:
        clock = _Clock()

        def tell(done: int) -> None:
            if clock.is_time():
                self._say(f"  检查 {done}/{len(rows)}")

        checked = check_rows(
            institution, rows, today(), stream=stream.name, acting=acting, progress=tell
        )
        self._say(
            f"新增 {len(checked.new)}，再次修读 {len(checked.held)}，"
            f"未变 {len(checked.unchanged)}，有问题 {len(checked.refused_rows)}"
        )
        return checked

    def _check(
        self,
        institution: Institution,
        stream: Stream,
        rows: tuple[RawRow, ...],
        acting: list[User],
    ) -> None:
        checked = self._checked(institution, stream, rows, acting)
        if checked.problems:
            raise RowsRefused(checked.problems)

    def _record(
        self,
        institution: Institution,
        stream: Stream,
        rows: tuple[RawRow, ...],
        clerk: User,
        reviewer: User,
    ) -> None:
        """Record in parts of a manifest's size, after all rows have been checked together."""
        checked = self._checked(institution, stream, rows, [clerk, reviewer])
        if checked.problems:
            raise RowsRefused(checked.problems)
        wanted = {one.row.number for one in checked.accepted}
        good = [row for row in rows if row.number in wanted]
        for start in range(0, len(good), limits.ROWS_MAX):
            part = good[start : start + limits.ROWS_MAX]
            try:
                draft = operations.prepare_draft(
                    institution=institution, stream=stream, rows=part, acting_user=clerk
                )
            except NothingNew:
                continue
            draft = operations.submit_draft(draft=draft, acting_user=clerk)
            receipt = operations.approve_draft(draft=draft, acting_user=reviewer)
            self._say(
                f"  已存入 {min(start + len(part), len(good))}/{len(good)}，"
                f"登记簿第 {receipt.first_index}–{receipt.first_index + receipt.count - 1} 号，"
                f"清单第 {receipt.manifest_index} 号"
            )

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        for found in problems:
            where = f"第 {found.row} 行 {label(found.field or '')}"
            value = f" {found.value!r}" if found.value else ""
            expected = f"（应为 {found.expected}）" if found.expected else ""
            self.stderr.write(f"{where}: {found.message}{value}{expected} [{found.code}]")
        raise CommandError(f"有 {len(problems)} 处问题，没有存入任何一行", returncode=REFUSED)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class _Clock:
    """Tells when it is time to say something again."""

    def __init__(self) -> None:
        self._next = time.monotonic() + TOLD_EVERY

    def is_time(self) -> bool:
        """Say whether enough time has passed since the last time."""
        at = time.monotonic()
        if at < self._next:
            return False
        self._next = at + TOLD_EVERY
        return True


def _user(name: str) -> User:
    try:
        return User.objects.get_by_natural_key(name)
    except User.DoesNotExist:
        raise CommandError(f"没有用户 {name}", returncode=WRONG_CALL) from None

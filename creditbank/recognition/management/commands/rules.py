"""Rules and programmes as files, from the command line.

    manage.py rules export FOLDER [--institution SLUG] [--all]
    manage.py rules import FILE_OR_FOLDER ... --prepared-by USER
    manage.py rules check FILE_OR_FOLDER ... [--catalogue CATALOGUE.json]

`export` writes what is in force today, with --all every published version.
`import` prepares drafts, all or none. `check` needs no database: it holds the
files against their schemas and against each other. Exit codes: 0 done; 1 problems,
nothing kept; 2 wrong call, or a file cannot be read; 3 the user may not do this.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from creditbank.access import Forbidden, NotFound
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.recognition.register import folders, rulebook
from creditbank.recognition.register.folders import FileProblem, FilesRefused
from creditbank.users.models import User

REFUSED: Final = 1
WRONG_CALL: Final = 2
NOT_ALLOWED: Final = 3


class Command(BaseCommand):
    help = "导出、导入或检查规则和培养方案的文件。"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="导出到一个文件夹")
        export.add_argument("folder", type=Path)
        export.add_argument("--institution", metavar="SLUG", default="")
        export.add_argument("--all", action="store_true", help="全部已公布的版本，不只现行的")
        take = actions.add_parser("import", help="导入为草稿，全部或一份也不")
        take.add_argument("places", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
        take.add_argument("--prepared-by", required=True, metavar="USER")
        check = actions.add_parser("check", help="只检查，不需要数据库")
        check.add_argument("places", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
        check.add_argument("--catalogue", type=Path, metavar="CATALOGUE.json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # What is wrong is told in the bank's first language, as all commands do.
            with override("zh-hans"):
                getattr(self, f"_{options['action']}")(options)
        except FilesRefused as error:
            self._tell(error.problems)
            raise CommandError(
                f"有 {len(error.problems)} 处问题，没有导入任何一份", returncode=REFUSED
            ) from error
        except (Forbidden, NotFound) as error:
            raise CommandError(f"{error.code}: {error}", returncode=NOT_ALLOWED) from error
        except DomainError as error:
            raise CommandError(f"{error.code}: {error}", returncode=REFUSED) from error
        except OSError as error:
            raise CommandError(str(error), returncode=WRONG_CALL) from error

    def _export(self, options: dict[str, Any]) -> None:
        slug = options["institution"]
        owner = institutions.institution(slug) if slug else None
        rows: list[Any]
        if options["all"]:
            rows = [*rulebook.published_rules(), *rulebook.published_programmes()]
            rows = [row for row in rows if owner is None or row.owner_id == owner.pk]
        else:
            rows = [
                *rulebook.in_force(today(), owner=owner),
                *rulebook.programmes_in_force(today(), owner=owner),
            ]
        count = folders.write_files(options["folder"], rows)
        self.stdout.write(f"已导出 {count} 份到 {options['folder']}")

    def _import(self, options: dict[str, Any]) -> None:
        imported = folders.import_files(
            places=options["places"], acting_user=_user(options["prepared_by"])
        )
        for row in imported.prepared:
            self.stdout.write(f"草稿 {row.code}/{row.version} {row.title}")
        self.stdout.write(f"新增草稿 {len(imported.prepared)}，登记过的 {len(imported.unchanged)}")

    def _check(self, options: dict[str, Any]) -> None:
        found = folders.check_files(places=options["places"], catalogue=options["catalogue"])
        self._tell(found.problems)
        self._tell(found.warnings, mark="提醒 ")
        said = f"检查了 {found.count} 份：问题 {len(found.problems)}，提醒 {len(found.warnings)}"
        if found.problems:
            raise CommandError(said, returncode=REFUSED)
        self.stdout.write(said)

    def _tell(self, problems: Sequence[FileProblem], mark: str = "") -> None:
        for one in problems:
            found = one.problem
            value = f" {found.value!r}" if found.value else ""
            expected = f"（应为 {found.expected}）" if found.expected else ""
            self.stderr.write(
                f"{mark}{one.file} {found.field or '/'}: {found.message}{value}{expected}"
                f" [{found.code}]"
            )


def _user(name: str) -> User:
    try:
        return User.objects.get_by_natural_key(name)
    except User.DoesNotExist:
        raise CommandError(f"没有用户 {name}", returncode=WRONG_CALL) from None

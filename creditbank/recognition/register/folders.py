"""Rules and programmes as files: one JSON document each, pretty to read, canonical when read back.

A file's canonical form is what counts: a document that was exported and is read
again has the very bytes that were published, whatever blanks are between them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from django.db import transaction
from django.utils.translation import gettext

from creditbank.errors import DomainError, Problem, Refusals
from creditbank.institutions import queries as institutions
from creditbank.proofs.strictjson import JsonRefused, loads
from creditbank.recognition.language import rulechecks
from creditbank.recognition.language.rulechecks import CatalogueFacts
from creditbank.recognition.models import Version
from creditbank.recognition.register import checking, publishing, surroundings
from creditbank.recognition.register.documents import PROGRAMMES, RULES, DocumentKind
from creditbank.users.models import User

SUFFIX: Final = ".json"
BYTES_MAX: Final = 4 << 20


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """One thing wrong with one file: `problem.field` is the JSON pointer into it."""

    file: str
    problem: Problem


class FilesRefused(DomainError):
    """Files of which some cannot be taken: every problem of every file. Nothing was kept."""

    code: ClassVar[str] = "files-refused"

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__(gettext("文件有问题，没有导入任何一份。"))
        self.problems = tuple(problems)


class CatalogueUnreadable(DomainError):
    """The file is no catalogue as the API gives it."""

    code: ClassVar[str] = "catalogue-unreadable"


@dataclass(frozen=True, kw_only=True)
class DocumentFile:
    """A file that holds a rule or a programme."""

    name: str
    kind: DocumentKind
    document: Any
    """The rule or the programme."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a folder holds: the documents that can be read, and the problems of the others."""

    documents: tuple[DocumentFile, ...]
    problems: tuple[FileProblem, ...]


def read_files(places: Iterable[Path]) -> Files:
    """Read files, and every .json file in or under the folders among them, by name.

    Raises OSError for what is not there.
    """
    documents: list[DocumentFile] = []
    problems: list[FileProblem] = []
    for name, path in _named(places):
        data = path.read_bytes() if path.stat().st_size <= BYTES_MAX else b""
        kind = PROGRAMMES if _says_programme(data) else RULES
        try:
            documents.append(DocumentFile(name=name, kind=kind, document=kind.read(data)))
        except Refusals as error:
            problems += [FileProblem(file=name, problem=one) for one in error.problems]
    return Files(documents=tuple(documents), problems=tuple(problems))


def _named(places: Iterable[Path]) -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    for place in places:
        if place.is_dir():
            found += [(str(path.relative_to(place)), path) for path in place.rglob(f"*{SUFFIX}")]
        else:
            place.stat()
            found.append((place.name, place))
    return sorted(found)


def _says_programme(data: bytes) -> bool:
    """Look which of the two a file means to be, so that its problems are the right ones."""
    try:
        said = json.loads(data)
    except ValueError:
        return False
    return isinstance(said, dict) and str(said.get("v")).startswith("llcb/programme/")


# -- checking ---------------------------------------------------------------------------------
_NEEDS_CATALOGUE: Final = frozenset(
    {
        "item-unknown",
        "framework-unknown",
        "framework-withdrawn",
        "no-item-meets",
        "native-item-of-another",
    }
)
"""Problems that only somebody who knows the catalogue can find."""


@dataclass(frozen=True, kw_only=True)
class CheckedFiles:
    """What was found of files that were held against their schemas and against each other."""

    count: int
    problems: tuple[FileProblem, ...]
    warnings: tuple[FileProblem, ...]


def check_files(*, places: Iterable[Path], catalogue: Path | None = None) -> CheckedFiles:
    """Hold files against their schemas and against each other; no database is asked.

    `catalogue` is the catalogue as the API gives it; without one, what only the
    catalogue can tell is not looked at. Raises OSError, CatalogueUnreadable.
    """
    files = read_files(places)
    named = {
        (one.kind.name, one.document.code, one.document.version): one.name
        for one in files.documents
    }
    facts = CatalogueFacts() if catalogue is None else _catalogue(catalogue)
    flaws = rulechecks.check(
        [one.document for one in files.documents if one.kind is RULES],
        [one.document for one in files.documents if one.kind is PROGRAMMES],
        facts,
    )
    told: dict[str, list[FileProblem]] = {"error": [], "warning": []}
    for flaw in flaws:
        if catalogue is None and flaw.problem.code in _NEEDS_CATALOGUE:
            continue
        names = [
            name
            for kind in (RULES, PROGRAMMES)
            if (name := named.get((kind.name, flaw.code, flaw.version)))
        ]
        told[flaw.severity] += [FileProblem(file=name, problem=flaw.problem) for name in names[:1]]
    problems = [*files.problems, *_twice(files.documents), *told["error"]]
    return CheckedFiles(
        count=len(files.documents) + len({one.file for one in files.problems}),
        problems=_in_order(problems),
        warnings=_in_order(told["warning"]),
    )


def _in_order(problems: Iterable[FileProblem]) -> tuple[FileProblem, ...]:
    return tuple(sorted(problems, key=lambda one: (one.file, one.problem.field or "")))


def _catalogue(path: Path) -> CatalogueFacts:
    try:
        return surroundings.read_catalogue(loads(path.read_bytes()))
    except (JsonRefused, AttributeError, KeyError, TypeError) as error:
        raise CatalogueUnreadable(gettext("名录文件无法读取。"), value=path.name) from error


# -- out --------------------------------------------------------------------------------------
def file_name(row: Version) -> str:
    """Return the name of a version's file."""
    return f"{row.code}.v{row.version}{SUFFIX}"


def pretty(document: bytes) -> bytes:
    """Return canonical JSON as a person reads it: indented, in the same order."""
    return json.dumps(json.loads(document), ensure_ascii=False, indent=2).encode() + b"\n"


def write_files(folder: Path, rows: Iterable[Version]) -> int:
    """Write versions into a folder, one file each; return how many.

    A file of the same name is written over, at once and whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for row in rows:
        path = folder / file_name(row)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_bytes(pretty(bytes(row.document)))
        fresh.replace(path)
        count += 1
    return count


# -- in ---------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of an import: the drafts that were prepared, and what the bank held already."""

    prepared: tuple[Version, ...]
    unchanged: tuple[str, ...]
    """Names of files whose very document the register holds."""


def import_files(*, places: Iterable[Path], acting_user: User) -> Imported:
    """Prepare drafts of every document in files and folders, all of them or none.

    Each for the owner that it names, of which the user has to be a clerk.
    Documents that the register holds already are left out, so that an import
    can be repeated. Raises FilesRefused with every problem of every file,
    Forbidden, NotFound, OSError.
    """
    files = read_files(places)
    problems = list(files.problems)
    wanted, unchanged = [], []
    for one in files.documents:
        owner = institutions.institution_by_uscc(one.document.owner)
        if owner is None:
            problems.append(FileProblem(file=one.name, problem=_owner_unknown(one.document.owner)))
        elif _is_held(one):
            unchanged.append(one.name)
        else:
            wanted.append((one, owner))
            problems += [
                FileProblem(file=one.name, problem=found)
                for found in checking.of_register(one.kind, owner, one.document)
            ]
    problems += _twice(files.documents)
    if problems:
        raise FilesRefused(_in_order(problems))
    prepare = {
        RULES.name: publishing.prepare_rule,
        PROGRAMMES.name: publishing.prepare_programme,
    }
    with transaction.atomic():
        prepared = [
            prepare[one.kind.name](
                institution=owner, document=one.document.canonical(), acting_user=acting_user
            )
            for one, owner in wanted
        ]
    return Imported(prepared=tuple(prepared), unchanged=tuple(unchanged))


def _is_held(one: DocumentFile) -> bool:
    held = one.kind.model.objects.filter(
        code=one.document.code, version=one.document.version, digest=one.document.digest
    )
    return bool(held.exclude(status="withdrawn", published_at__isnull=True).exists())


def _twice(documents: Sequence[DocumentFile]) -> list[FileProblem]:
    first: dict[tuple[str, str, int], str] = {}
    problems = []
    for one in documents:
        key = one.kind.name, one.document.code, one.document.version
        if key in first:
            problems.append(
                FileProblem(
                    file=one.name,
                    problem=Problem(
                        code="version-twice",
                        field="/version",
                        message=gettext("另一个文件有同一编码的同一版本。"),
                        value=f"{one.document.code}/{one.document.version}",
                        expected=first[key],
                    ),
                )
            )
        first.setdefault(key, one.name)
    return problems


def _owner_unknown(uscc: str) -> Problem:
    return Problem(
        code="owner-unknown",
        field="/owner",
        message=gettext("机构名录中没有这个统一社会信用代码。"),
        value=uscc,
        expected="",
    )

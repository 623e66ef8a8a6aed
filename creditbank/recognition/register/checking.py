"""Whether a document may be kept, filed and published: everything that is wrong with it at once.

A draft may be kept while it refers to what is not there yet; it may not be
unreadable, of another owner, or of a version that is published already.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.utils.translation import gettext

from creditbank.clock import today
from creditbank.errors import Problem, Refusals
from creditbank.institutions.models import Institution
from creditbank.recognition.language import rulechecks
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rulechecks import Flaw
from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from creditbank.recognition.register import surroundings
from creditbank.recognition.register.documents import RULES, DocumentKind, kind_of

RESERVED: Final = frozenset({"open.json", "open.csv", "coverage", "unused"})
"""Codes that the register's own addresses would hide."""


class DocumentRefused(Refusals):
    """A rule or programme that cannot be kept or published: every problem with its JSON pointer."""

    code: ClassVar[str] = "document-refused"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found of a document.

    `document` is the rule or programme, None when it cannot be read. `problems`
    stand in the way of its publication; `warnings` are for a person to weigh.
    """

    document: Any
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read(kind: DocumentKind, institution: Institution, data: object) -> Checked:
    """Read a document that an institution wants to keep; find what no draft may have.

    `data` is the bytes of JSON, or what was read of them already.
    """
    try:
        document = kind.read(data) if isinstance(data, bytes) else kind.parse(data)
    except Refusals as error:
        return Checked(document=None, problems=error.problems)
    return Checked(document=document, problems=tuple(of_register(kind, institution, document)))


def prepared(kind: DocumentKind, institution: Institution, data: object) -> Any:
    """Return the rule or programme that a draft is to hold. Raises DocumentRefused."""
    checked = read(kind, institution, data)
    if checked.problems:
        raise DocumentRefused(checked.problems, gettext("文件有问题，没有保存。"))
    return checked.document


def of_register(kind: DocumentKind, institution: Institution, document: Any) -> list[Problem]:
    """Hold a document's header against what is published."""
    problems = []
    if document.owner != institution.uscc:
        problems.append(
            Problem(
                code="owner-another",
                field="/owner",
                message=gettext("规则由接收学分的机构自己制定：这里应是本机构的代码。"),
                value=document.owner,
                expected=institution.uscc,
            )
        )
    if document.code in RESERVED:
        problems.append(
            Problem(
                code="code-reserved",
                field="/code",
                message=gettext("这个编码与规则库自己的网址相同，不能使用。"),
                value=document.code,
                expected="",
            )
        )
    published = list(
        kind.model.objects.filter(code=document.code, published_at__isnull=False)
        .select_related("owner")
        .order_by("-version")
    )
    if published and published[0].owner_id != institution.pk:
        problems.append(
            Problem(
                code="code-taken",
                field="/code",
                message=gettext("这个编码由另一家机构使用。"),
                value=document.code,
                expected="",
            )
        )
    if published and document.version <= published[0].version:
        problems.append(
            Problem(
                code="version-published",
                field="/version",
                message=gettext("这个版本号已经公布过，新版本的号码须更大。"),
                value=str(document.version),
                expected=f"≥ {published[0].version + 1}",
            )
        )
    standing = [row for row in published if row.withdrawn_on is None]
    if standing and document.first_day <= standing[0].first_day:
        problems.append(
            Problem(
                code="begins-too-early",
                field="/in_force/from",
                message=gettext("新版本须晚于上一版本生效。"),
                value=document.first_day.isoformat(),
                expected=f"> {standing[0].first_day.isoformat()}",
            )
        )
    return problems


def check(version: RuleVersion | ProgrammeVersion) -> Checked:
    """Check a stored version against everything that is known now."""
    return check_document(kind_of(version), version.owner, bytes(version.document))


def check_document(kind: DocumentKind, institution: Institution, data: object) -> Checked:
    """Check a document against everything that is known now; nothing is kept.

    One that cannot be read is held against nothing else.
    """
    checked = read(kind, institution, data)
    if checked.document is None:
        return checked
    flaws, reached = _flaws(kind, institution, checked.document)
    of_register = {one.field for one in checked.problems}
    return Checked(
        document=checked.document,
        problems=(
            *checked.problems,
            *(
                flaw.problem
                for flaw in flaws
                if flaw.severity == "error" and not _told(flaw, of_register)
            ),
        ),
        warnings=(
            *(flaw.problem for flaw in flaws if flaw.severity == "warning"),
            *_weighed(kind, checked.document, reached),
        ),
    )


def _flaws(
    kind: DocumentKind, institution: Institution, document: Any
) -> tuple[list[Flaw], Collection[Programme]]:
    """Return what is wrong with a document among the others, and the programmes it stands among."""
    if kind is RULES:
        among = surroundings.of_rule(institution, document)
        flaws = rulechecks.check_rule(
            document,
            among=among.rules,
            programmes=among.programmes,
            catalogue=among.catalogue,
        )
    else:
        among = surroundings.of_programme(document)
        flaws = rulechecks.check_programme(
            document, among=among.programmes, rules=among.rules, catalogue=among.catalogue
        )
    return flaws, among.programmes


def _told(flaw: Flaw, places: Collection[str | None]) -> bool:
    """Say whether the register's own check has told of a version's first day already."""
    return flaw.problem.code == "versions-out-of-order" and flaw.problem.field in places


def _weighed(kind: DocumentKind, document: Any, reached: Collection[Programme]) -> list[Problem]:
    """Find what only somebody who knows the day and the register can find, for a person to weigh."""
    found = []
    if (
        document.first_day < today()
        and kind.model.objects.filter(
            code=document.code, published_at__isnull=False, withdrawn_on__isnull=True
        ).exists()
    ):
        found.append(
            Problem(
                code="begins-in-the-past",
                field="/in_force/from",
                message=gettext("生效日已过：此后提交、还没有决定的申请会改按这一版。"),
                value=document.first_day.isoformat(),
                expected=f"≥ {today().isoformat()}",
            )
        )
    if document.last_day is not None and document.last_day < today():
        found.append(
            Problem(
                code="ended-already",
                field="/in_force/until",
                message=gettext("有效期已经结束，不会再用到。"),
                value=document.last_day.isoformat(),
                expected=f"≥ {today().isoformat()}",
            )
        )
    if kind is RULES and not reached:
        found.append(
            Problem(
                code="no-programme",
                field="/programmes",
                message=gettext("现在没有这条规则能用于的专业。"),
                value="",
                expected="",
            )
        )
    return found

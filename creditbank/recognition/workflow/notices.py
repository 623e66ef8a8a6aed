"""Decisions in public notice (公示), without anything of the person they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from creditbank.institutions.models import Institution
from creditbank.recognition.models import (
    Decision,
    DecisionLine,
    DecisionState,
    LineVerdict,
    ProgrammeVersion,
)


@dataclass(frozen=True, kw_only=True)
class NoticeLine:
    """What a decision gives for one target, and by which version of which rule.

    `title` and `title_en` name the course or category as the programme does.
    """

    rule: str
    version: int
    target: str
    title: str
    title_en: str
    verdict: str
    credits: Decimal


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A decision in notice: whose, for which programme, what it gives, and until which day.

    `until` is the last day of the notice; objections are for the institution.
    """

    number: str
    institution: Institution
    programme: ProgrammeVersion
    decided_on: date
    until: date
    lines: tuple[NoticeLine, ...]

    @property
    def credits(self) -> Decimal:
        """The converted credits in all."""
        return sum((line.credits for line in self.lines), Decimal(0))


def in_notice(*, institution: Institution | None = None) -> list[Notice]:
    """Return the decisions that are in notice, those that end first before the others."""
    found = (
        Decision.objects.filter(state=DecisionState.IN_NOTICE)
        .select_related("request__institution", "request__programme")
        .prefetch_related("lines")
        .order_by("notice_until", "decided_at", "number")
    )
    if institution is not None:
        found = found.filter(request__institution=institution)
    return [_notice(decision) for decision in found]


def _notice(decision: Decision) -> Notice:
    assert decision.decided_on is not None
    assert decision.notice_until is not None
    programme = decision.request.programme
    return Notice(
        number=decision.number,
        institution=decision.request.institution,
        programme=programme,
        decided_on=decision.decided_on,
        until=decision.notice_until,
        lines=tuple(_lines(programme, decision.lines.all())),
    )


def _lines(programme: ProgrammeVersion, lines: Iterable[DecisionLine]) -> Iterable[NoticeLine]:
    document = programme.parsed()
    for line in lines:
        if line.verdict == LineVerdict.REFUSED:
            continue
        target = line.course or line.category
        named = document.course(line.course) or document.category(line.category)
        yield NoticeLine(
            rule=line.rule_code,
            version=line.rule_version,
            target=target,
            title=named.title if named else target,
            title_en=named.title_en if named else target,
            verdict=line.verdict,
            credits=line.credits + line.surplus,
        )

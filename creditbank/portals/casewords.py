"""A case of recognition as a page shows it: targets, lines, findings and reasons in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext

from creditbank.institutions.models import in_english
from creditbank.portals import outcomewords, reasonwords
from creditbank.portals.reasonwords import Words
from creditbank.portals.templatetags.bank import civil_date
from creditbank.recognition.deciding import reasons
from creditbank.recognition.deciding.packages import Decided, Judged
from creditbank.recognition.deciding.proofsteps import State
from creditbank.recognition.engine.findings import Finding, Grant, Verdict
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import DecisionLine
from creditbank.recognition.workflow.holdings import Holding
from creditbank.recognition.workflow.verification import Check, Verified

VERDICTS: Final = ("credit", "part", "waived", "refused")
_FINDINGS: Final = {
    Verdict.APPLIES: "finding-applies",
    Verdict.REFUSED: "finding-refused",
    Verdict.UNKNOWN: "finding-unknown",
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A course or a category of a programme; `credits` are the course's own, None for a category."""

    code: str
    name: str
    credits: Decimal | None

    def __str__(self) -> str:
        return self.name

    @property
    def is_course(self) -> bool:
        """Whether it is a course, which alone can be waived."""
        return self.credits is not None


def target(programme: Programme, course: str, category: str) -> Target | None:
    """Name what a line is for; None for a line that answers for an outcome alone."""
    found = programme.course(course) if course else None
    if found is not None:
        return Target(
            code=found.code, name=named(found.title, found.title_en), credits=found.credits
        )
    group = programme.category(category) if category else None
    if group is not None:
        return Target(code=group.code, name=named(group.title, group.title_en), credits=None)
    code = course or category
    return Target(code=code, name=code, credits=None) if code else None


def named(chinese: str, english: str) -> str:
    """Choose the words of the reader's language; the Chinese ones where there are no English."""
    return english if in_english() and english else chinese


def sources(holdings: Iterable[Holding], leaves: Iterable[bytes]) -> tuple[str, ...]:
    """Name outcomes by their leaf hashes; one that is not among the holdings is left out."""
    wanted = set(leaves)
    return tuple(outcomewords.title(one.evidence.outcome) for one in holdings if one.leaf in wanted)


def reason(code: str) -> str:
    """Say a reason of a line: a reviewer's, or the computation's; a code nobody knows stays itself."""
    template = reasons.BY_CODE.get(code)
    if template is not None:
        return named(template.zh, template.en)
    pair = reasons.AUTOMATIC.get(code)
    return code if pair is None else named(*pair)


def reason_choices(verdict: str) -> list[tuple[str, str]]:
    """Return the reasons that can be given for a verdict, as choices of a form."""
    return [(one.code, named(one.zh, one.en)) for one in reasons.for_verdict(verdict)]


# -- lines ------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """What is proposed or was decided for one target, or of an outcome that nothing is given for."""

    position: int
    target: Target | None
    sources: tuple[str, ...]
    rule: str
    version: int
    verdict: str
    credits: Decimal
    surplus: Decimal
    surplus_to: str
    proposed: Decimal
    mark: str
    reason: str
    law: str
    note: str = ""
    promised: bool = False

    @property
    def state(self) -> str:
        """The state that the page draws."""
        return f"verdict-{self.verdict}"

    @property
    def total(self) -> Decimal:
        """The credits in all."""
        return self.credits + self.surplus


def proposed_lines(
    lines: Sequence[Decided],
    programme: Programme,
    holdings: Sequence[Holding],
    *,
    binding: Iterable[str] = (),
    notes: Mapping[int, str] | None = None,
) -> list[ShownLine]:
    """Return a proposal's lines, or what a reviewer means to decide, as a page shows them."""
    promised = set(binding)
    told = notes or {}
    return [
        ShownLine(
            position=position,
            target=target(programme, line.course, line.category),
            sources=sources(holdings, line.leaves),
            rule=line.rule,
            version=line.version,
            verdict=line.verdict,
            credits=line.credits,
            surplus=line.surplus,
            surplus_to=_category(programme, line.surplus_category),
            proposed=line.credits + line.surplus,
            mark=line.mark,
            reason=reason(line.reason) if line.reason else "",
            law=law(line.law, line.law_on),
            note=told.get(position, ""),
            promised=line.rule in promised,
        )
        for position, line in enumerate(lines)
    ]


def decided_lines(
    lines: Iterable[DecisionLine],
    programme: Programme,
    holdings: Sequence[Holding],
    notes: Mapping[int, str] | None = None,
) -> list[ShownLine]:
    """Return a decision's lines as a page shows them."""
    told = notes or {}
    return [
        ShownLine(
            position=line.position,
            target=target(programme, line.course, line.category),
            sources=sources(holdings, line.leaf_hashes),
            rule=line.rule_code,
            version=line.rule_version,
            verdict=line.verdict,
            credits=line.credits,
            surplus=line.surplus,
            surplus_to=_category(programme, line.surplus_category),
            proposed=line.proposed,
            mark="",
            reason=reason(line.reason) if line.reason else "",
            law=law(line.law, line.law_on),
            note=told.get(line.position, ""),
        )
        for line in lines
    ]


def _category(programme: Programme, code: str) -> str:
    found = target(programme, "", code)
    return "" if found is None else found.name


def law(name: str, on: date | None) -> str:
    """Say by which day's rule a line is decided."""
    if not name or on is None:
        return ""
    sentence = (
        gettext("按提交申请之日（%(day)s）的规则")
        if name == "filing"
        else gettext("按作出决定之日（%(day)s）的规则")
    )
    return sentence % {"day": civil_date(on)}


# -- findings ---------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownGrant:
    """What a use of a rule can give."""

    target: Target | None
    credits: Decimal
    surplus: Decimal
    surplus_to: str
    waived: bool
    mark: str

    def __str__(self) -> str:
        """Say it in words."""
        facts = {
            "name": self.target.name if self.target is not None else "",
            "credits": f"{self.credits:.2f}",
        }
        if self.waived:
            return gettext("%(name)s（免修不计学分）") % facts
        return gettext("%(name)s %(credits)s 学分") % facts


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """One rule held against outcomes: how it stands, what it can give, or why not.

    `judged`: a reviewer held it to be met. `may_judge`: one still can. `leaves`
    is the selection as hexadecimal digits, by which a form names it.
    """

    rule: str
    version: int
    sources: tuple[str, ...]
    state: str
    grants: tuple[ShownGrant, ...]
    choose: int
    credits_max: Decimal | None
    reasons: tuple[Words, ...]
    judged: bool
    may_judge: bool
    leaves: str


def findings(
    found: Iterable[Finding],
    programme: Programme,
    holdings: Sequence[Holding],
    judged: Iterable[Judged] = (),
    rules: Mapping[tuple[str, int], Rule] | None = None,
) -> list[ShownFinding]:
    """Return findings as a page shows them; `rules` are those that they are of."""
    known = rules or {}
    by_person = {(one.rule, one.version, one.leaves) for one in judged}
    return [
        ShownFinding(
            rule=one.rule,
            version=one.version,
            sources=sources(holdings, one.leaves),
            state="finding-judged"
            if (one.rule, one.version, one.leaves) in by_person
            else _FINDINGS[one.verdict],
            grants=tuple(_grant(grant, programme) for grant in one.grants),
            choose=one.choose,
            credits_max=one.credits_max,
            reasons=tuple(
                reasonwords.all_words(one.reasons, known.get((one.rule, one.version)), programme)
            ),
            judged=(one.rule, one.version, one.leaves) in by_person,
            may_judge=one.verdict is Verdict.UNKNOWN and bool(one.grants),
            leaves=b"".join(one.leaves).hex(),
        )
        for one in found
    ]


def _grant(grant: Grant, programme: Programme) -> ShownGrant:
    return ShownGrant(
        target=target(programme, grant.course, grant.category),
        credits=grant.credits,
        surplus=grant.surplus,
        surplus_to=_category(programme, grant.surplus_category),
        waived=grant.waived,
        mark=grant.mark,
    )


# -- verification -----------------------------------------------------------------------------
CHECKS: Final = {
    State.VALID: "check-valid",
    State.INVALID: "check-invalid",
    State.UNCHECKED: "check-undetermined",
}


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """One numbered check of an outcome: what is checked, how it came out, and why not."""

    number: int
    name: str
    state: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ShownSource:
    """An outcome of a case with its verification of just now."""

    holding: Holding
    title: str
    body: str
    level: str
    checks: tuple[ShownCheck, ...]
    state: str
    at: datetime

    @property
    def leaf(self) -> str:
        """The leaf hash as hexadecimal digits, by which a form names it."""
        return self.holding.leaf.hex()

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(check.state == CHECKS[State.VALID] for check in self.checks)


def source(verified: Verified) -> ShownSource:
    """Return an outcome and its checks as a page shows them."""
    outcome = verified.holding.evidence.outcome
    return ShownSource(
        holding=verified.holding,
        title=outcomewords.title(outcome),
        body=outcomewords.body(outcome),
        level=outcomewords.level(outcome),
        checks=tuple(
            ShownCheck(
                number=check.number,
                name=str(check.name),
                state=CHECKS[check.state],
                sentence=_why(check),
            )
            for check in verified.checks
        ),
        state=CHECKS[verified.state],
        at=verified.at,
    )


def _why(check: Check) -> str:
    """Say why a check did not pass; nothing when it did."""
    if check.state is State.VALID:
        return ""
    if check.state is State.UNCHECKED:
        return gettext("现在未能检查，请稍后刷新；这不表示有效，也不表示无效。")
    if check.code == "unused":
        return gettext("已用于或已列入 %(number)s。") % {"number": check.why}
    if check.code == "in-force":
        return gettext("已冲正、到期或过有效期（%(why)s）。") % {"why": check.why or "–"}
    return gettext("不成立：%(why)s") % {"why": check.why}

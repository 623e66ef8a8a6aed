"""Recognition without an application, where the rules say so: on new outcomes and on new rules.

It is done for learners who follow a programme and have consented to show their
outcomes to other institutions. Who is to be looked at is found by what is new:
of new entries the accounts with a goal that an automatic rule could serve, of a
new rule the goals for its programmes. What an outcome is stands sealed, so that
there is no index of it; the entries of a stretch are opened once.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db.models import QuerySet

from creditbank.clock import today
from creditbank.jobs import outbox
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger.statements import RULE, Outcome, Result
from creditbank.proofs import commitments
from creditbank.recognition.deciding import admission, computation, procedure
from creditbank.recognition.deciding.computation import Computed
from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Decision,
    Goal,
    ProgrammeVersion,
    Request,
    RuleVersion,
)
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import decisions, following, requests, situations
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.errors import RequestRefused
from creditbank.recognition.workflow.following import Seen
from creditbank.recognition.workflow.situations import Book, Situation
from learners.models import ConsentPurpose, Learner, LearnerAccount

logger = logging.getLogger(__name__)

FOLLOWER: Final = "automatic"
CONSIDER: Final = "recognition.consider"
NEW_RULE: Final = "recognition.new-rule"
GROUP: Final = 50
"""How many goals one row of the outbox holds: a row that fails holds up no more than that."""


# -- one learner ------------------------------------------------------------------------------
def consider(*, learner: Learner, programme: ProgrammeVersion) -> Decision | None:
    """Recognise what rules without an application give a learner for a programme, if anything.

    Only outcomes that the best plan uses under such rules: what could bring more
    by a request is left for one. Done twice, once. Raises PersonForgotten.
    """
    consent = consent_of(learner)
    if consent is None:
        return None
    on = today()
    found = situations.situation(learner, programme)
    book = situations.book(found, filed_on=on, law_on=on)
    everything = _computed(found, book.rules, on)
    leaves = _without_application(book, everything)
    if not leaves:
        return None
    book = situations.automatic_only(book)
    computed = _computed(found, book.rules, on, leaves)
    lines = computed.plan.lines
    asked = admission.procedure_of(lines, computed.findings, book.by_key())
    if not lines or not asked.automatic:
        return None
    holdings = [one for one in found.holdings if one.leaf in leaves]
    try:
        request = requests.file(
            found, holdings, asked, details=Details(), consent=consent, automatic=True
        )
    except RequestRefused:
        return None  # Another request has taken an outcome at this moment.
    return decisions.decide_automatically(request)


def consent_of(learner: Learner) -> str | None:
    """Return the wording under which a learner consents to show outcomes, None without consent."""
    held = learner.consents.filter(
        purpose=ConsentPurpose.MUTUAL_RECOGNITION, withdrawn_at__isnull=True
    ).first()
    return held.wording if held is not None else None


def _computed(
    found: Situation, rules: Iterable[Rule], on: date, leaves: Collection[bytes] | None = None
) -> Computed:
    return computation.compute(
        situations.inputs(found, rules, filed_on=on, law_on=on, leaves=leaves)
    )


def _without_application(book: Book, computed: Computed) -> frozenset[bytes]:
    """Return the outcomes that the best plan uses under automatic rules and no other."""
    rules = book.by_key()
    by_request: set[bytes] = set()
    found: set[bytes] = set()
    for line in computed.plan.lines:
        automatic = procedure.of([rules[line.rule, line.version].procedure]).automatic
        (found if automatic else by_request).update(line.leaves)
    return frozenset(found - by_request)


def consider_all(*pairs: str) -> None:
    """Consider goals, `learner/programme` each; one that fails is tried again by itself."""
    for pair in pairs:
        learner_id, _, programme_id = pair.partition("/")
        goal = (
            Goal.objects.select_related("learner", "programme__owner")
            .filter(learner_id=uuid.UUID(learner_id), programme_id=int(programme_id))
            .first()
        )
        if goal is None or goal.learner.is_forgotten:
            continue
        try:
            consider(learner=goal.learner, programme=goal.programme)
        except learnerkeys.PersonForgotten:
            continue
        except Exception:
            if len(pairs) == 1:
                raise
            logger.exception("a goal could not be considered; it is tried again by itself")
            outbox.enqueue_on_commit(CONSIDER, pair)


# -- new entries ----------------------------------------------------------------------------------
def follow() -> int:
    """Look at what is new in the log, and put to work whom it could serve. Returns how far it came."""
    return following.follow(FOLLOWER, [kinds.AWARD, kinds.RULE_PUBLISH], _new_entries)


def _new_entries(entries: Sequence[Seen]) -> None:
    awards = [one for one in entries if one.kind is kinds.AWARD]
    for one in entries:
        if one.kind is kinds.RULE_PUBLISH:
            core = json.loads(commitments.split(one.sealed)[0])
            if core["schema"] == RULE:
                outbox.enqueue_on_commit(NEW_RULE, str(core["code"]), int(core["version"]))
    _put_to_work(_served(awards))


def _served(awards: Sequence[Seen]) -> list[str]:
    """Return the goals that new awards could serve: an automatic rule could apply to one of them."""
    goals = _goals_of({one.account for one in awards})
    if not goals:
        return []
    keys = learnerkeys.keys_of(goals)
    programmes = _Programmes(today())
    found: dict[str, None] = {}
    for one in awards:
        if one.account not in goals or one.account not in keys:
            continue
        said = commitments.read_opening(keys[one.account].unseal(one.sealed))
        for goal in goals[one.account]:
            pair = _pair(goal)
            if pair not in found and programmes.could_use(goal.programme, one, said):
                found[pair] = None
    return list(found)


def _goals_of(accounts: Iterable[int]) -> dict[int, list[Goal]]:
    """Return the goals of learners who consented, by each of their accounts among these."""
    links = LearnerAccount.objects.filter(
        account_id__in=list(accounts),
        learner__forgotten_at__isnull=True,
        learner__goals__isnull=False,
        learner__consents__purpose=ConsentPurpose.MUTUAL_RECOGNITION,
        learner__consents__withdrawn_at__isnull=True,
    ).distinct()
    learner_of = dict(links.values_list("account_id", "learner_id"))
    if not learner_of:
        return {}
    by_learner: dict[uuid.UUID, list[Goal]] = defaultdict(list)
    for goal in Goal.objects.select_related("programme__owner").filter(
        learner_id__in=set(learner_of.values())
    ):
        by_learner[goal.learner_id].append(goal)
    return {account: by_learner[learner] for account, learner in learner_of.items()}


def _evidence(one: Seen, said: commitments.Opened) -> Evidence:
    _, core, result, reference, _ = said
    return Evidence(
        leaf=bytes(32),
        index=one.index,
        outcome=Outcome.from_core(dict(core)),
        result=Result.from_part(dict(result)),
        occurrence=str(reference.get("occurrence", "")),
    )


@dataclass(kw_only=False)
class _Programmes:
    """The automatic rules of each programme, read once for a stretch, and what they said.

    Rows of one import say the same of many learners: parts of openings that do
    are one object (`commitments.Members`), and are held against the rules once.
    """

    on: date
    rules: dict[int, tuple[Programme, tuple[Rule, ...]]] = field(default_factory=dict)
    answers: dict[tuple[int, int, int], bool] = field(default_factory=dict)
    kept: list[commitments.Members] = field(default_factory=list)
    """What the answers' keys are the identities of."""

    def could_use(self, row: ProgrammeVersion, one: Seen, said: commitments.Opened) -> bool:
        """Say whether an automatic rule of a programme could apply to an outcome."""
        _, core, result, _, _ = said
        key = (row.pk, id(core), id(result))
        known = self.answers.get(key)
        if known is None:
            known = self.answers[key] = self._could_use(row, _evidence(one, said))
            self.kept += [core, result]
        return known

    def _could_use(self, row: ProgrammeVersion, evidence: Evidence) -> bool:
        if row.pk not in self.rules:
            programme = row.parsed()
            rows = rulebook.rules_in_force(programme=programme, on=self.on)
            self.rules[row.pk] = (programme, tuple(automatic_rules(one.parsed() for one in rows)))
        programme, rules = self.rules[row.pk]
        context = Context(filed_on=self.on, decided_on=self.on, programme=programme)
        return any(_could_apply(rule, evidence, context) for rule in rules)


ELSEWHERE: Final = frozenset({"source-missing", "sources-not-distinct", "held", "met", "not"})
"""Reasons that something else of the learner's may settle, which is not looked at here."""


def _could_apply(rule: Rule, evidence: Evidence, context: Context) -> bool:
    """Say whether a rule could apply to an outcome, as far as its own entry tells."""
    try:
        found = evaluation.evaluate(rule, [evidence], context)
    except (evaluation.RuleUnfit, evaluation.TooManySteps):
        return False
    return any(
        one.verdict is not Verdict.REFUSED
        or ELSEWHERE.intersection(reason.code for reason in one.reasons)
        for one in found
    )


def automatic_rules(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Keep the rules under which no person decides."""
    return (rule for rule in rules if procedure.of([rule.procedure]).automatic)


# -- new rules --------------------------------------------------------------------------------------
def new_rule(code: str, version: int) -> int:
    """Put to work the goals that a rule's version could serve from today; return how many.

    Nothing for a rule that is not in force, or under which people decide.
    """
    try:
        row = rulebook.rule_in_force(code, today())
    except rulebook.UnknownRule:
        return 0
    if row.version != version or not list(automatic_rules([row.parsed()])):
        return 0
    pairs = [_pair(goal) for goal in goals_for(row)]
    _put_to_work(pairs)
    logger.info("rule %s v%s: %s goals to be looked at", code, version, len(pairs))
    return len(pairs)


def rules_from_today(on: date | None = None) -> int:
    """Look at the rules whose first day is today; return how many goals are to be looked at."""
    day = on or today()
    rows = RuleVersion.objects.filter(first_day=day, published_at__isnull=False)
    return sum(new_rule(row.code, row.version) for row in rows)


def goals_for(row: RuleVersion) -> Iterator[Goal]:
    """Return the goals whose programme a rule reaches and whose learner consents."""
    for programme in (
        ProgrammeVersion.objects.select_related("owner").filter(goals__isnull=False).distinct()
    ):
        if rulebook.is_for(row, programme.parsed()):
            yield from _consenting(Goal.objects.filter(programme=programme)).iterator(
                chunk_size=1000
            )


def _consenting(goals: QuerySet[Goal]) -> QuerySet[Goal]:
    return goals.filter(
        learner__forgotten_at__isnull=True,
        learner__consents__purpose=ConsentPurpose.MUTUAL_RECOGNITION,
        learner__consents__withdrawn_at__isnull=True,
    )


def _pair(goal: Goal) -> str:
    return f"{goal.learner_id}/{goal.programme_id}"


def _put_to_work(pairs: Sequence[str]) -> None:
    for start in range(0, len(pairs), GROUP):
        outbox.enqueue_on_commit(CONSIDER, *pairs[start : start + GROUP])


def decide(pk: uuid.UUID) -> None:
    """Decide a request that asks for no person; the outbox calls it, perhaps twice."""
    request = (
        Request.objects.select_related("learner", "institution", "programme__owner")
        .filter(pk=pk)
        .first()
    )
    if request is None or not request.is_open or request.learner.is_forgotten:
        return
    decisions.decide_automatically(request)

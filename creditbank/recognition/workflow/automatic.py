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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db.models import QuerySet

from creditbank.clock import today
from creditbank.jobs import outbox
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger.statements import RULE, Outcome, Reference, Result
from creditbank.proofs import commitments
from creditbank.recognition.deciding import procedure
from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Context, Evidence
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
from creditbank.recognition.workflow import decisions, following, requests
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.errors import RequestRefused
from creditbank.recognition.workflow.following import Seen
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
    form = requests.prepare(learner=learner, programme=programme)
    leaves = _without_application(form)
    if not leaves:
        return None
    form = requests.prepare(
        learner=learner, programme=programme, leaves=leaves, only_automatic=True
    )
    if not form.lines or not form.procedure.automatic:
        return None
    try:
        request = requests.file(form, details=Details(), consent=consent, automatic=True)
    except RequestRefused:
        return None  # Another request has taken an outcome at this moment.
    return decisions.decide_automatically(request)


def consent_of(learner: Learner) -> str | None:
    """Return the wording under which a learner consents to show outcomes, None without consent."""
    held = learner.consents.filter(
        purpose=ConsentPurpose.MUTUAL_RECOGNITION, withdrawn_at__isnull=True
    ).first()
    return held.wording if held is not None else None


def _without_application(form: requests.Form) -> frozenset[bytes]:
    """Return the outcomes that the best plan uses under automatic rules and no other."""
    rules = {(rule.code, rule.version): rule for rule in form.rules}
    by_request: set[bytes] = set()
    found: set[bytes] = set()
    for line in form.computed.plan.lines:
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
    """Return the goals that new awards could serve: those of which an automatic rule is about one."""
    goals = _goals_of({one.account for one in awards})
    if not goals:
        return []
    keys = learnerkeys.keys_of(goals)
    programmes = _Programmes(today())
    found: dict[str, None] = {}
    for one in awards:
        if one.account not in goals or one.account not in keys:
            continue
        evidence = _evidence(one, keys[one.account].unseal(one.sealed))
        for goal in goals[one.account]:
            pair = _pair(goal)
            if pair not in found and programmes.could_use(goal.programme, evidence):
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


def _evidence(one: Seen, opening: bytes) -> Evidence:
    core, result, reference, _ = (json.loads(part) for part in commitments.split(opening))
    outcome = Outcome.from_core(core)
    return Evidence(
        leaf=bytes(32),
        index=one.index,
        outcome=outcome,
        result=Result.from_part(result),
        occurrence=Reference.from_part(reference).occurrence,
    )


@dataclass(kw_only=False)
class _Programmes:
    """The automatic rules of each programme, read once for a stretch."""

    on: date
    rules: dict[int, tuple[Programme, tuple[Rule, ...]]] = field(default_factory=dict)

    def could_use(self, row: ProgrammeVersion, evidence: Evidence) -> bool:
        if row.pk not in self.rules:
            programme = row.parsed()
            rows = rulebook.rules_in_force(programme=programme, on=self.on)
            self.rules[row.pk] = (programme, tuple(automatic_rules(one.parsed() for one in rows)))
        programme, rules = self.rules[row.pk]
        context = Context(filed_on=self.on, decided_on=self.on, programme=programme)
        return any(_is_about(rule, evidence, context) for rule in rules)


def _is_about(rule: Rule, evidence: Evidence, context: Context) -> bool:
    try:
        return bool(evaluation.evaluate(rule, [evidence], context))
    except (evaluation.RuleUnfit, evaluation.TooManySteps):
        return False


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

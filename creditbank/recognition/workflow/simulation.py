"""A draft of a rule, run over what is stored: who would gain, who would lose, which limits bind.

For one programme, over all learners: the best plan under today's rules, and the
best plan with the draft in the place of the version it follows. What comes out
is counts. A worker does it in batches; how far it is and what has been counted
stand in the database, so that it goes on after a crash where it was.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.db import transaction
from django.utils.translation import gettext

from creditbank import access
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution
from creditbank.jobs import outbox, progress
from creditbank.jobs.models import Job, JobState
from creditbank.ledger import learnerkeys
from creditbank.recognition.deciding import effects
from creditbank.recognition.deciding.computation import Inputs
from creditbank.recognition.deciding.effects import Effect, Exchange
from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Line
from creditbank.recognition.language import references
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    DecisionLine,
    DecisionState,
    Goal,
    LineVerdict,
    ProgrammeVersion,
    RuleVersion,
    Simulation,
)
from creditbank.recognition.planning import plan
from creditbank.recognition.register import rulebook
from creditbank.recognition.register.checking import DocumentRefused
from creditbank.recognition.workflow import holdings, situations
from creditbank.users.models import User
from learners.models import Learner, LearnerAccount

logger = logging.getLogger(__name__)

SIMULATE: Final = "recognition.simulate"
BATCH: Final = 200
SLICE_SECONDS: Final = 90.0
"""How long one run of the worker goes on before it hands over to the next: tasks are cut at 240."""
BINS: Final = (Decimal(1), Decimal(2), Decimal(4), Decimal(8), Decimal(16))
"""Upper ends of the groups in which gains and losses are counted; the last group has none."""
TOLD: Final = 20
"""How many reasons and obstacles are kept, the most frequent first."""


class NothingToSimulate(DomainError):
    """The version is published, or the rule does not reach the programme."""

    code: ClassVar[str] = "nothing-to-simulate"


class UnknownSimulation(DomainError):
    """There is no such simulation of this rule."""

    code: ClassVar[str] = "unknown-simulation"


# -- starting ---------------------------------------------------------------------------------
def programmes_for(rule: RuleVersion) -> list[ProgrammeVersion]:
    """Return the programmes in force that a draft would reach and has targets in, by code."""
    parsed = rule.parsed()
    return [
        row
        for row in rulebook.programmes_in_force(today())
        if rulebook.is_for(rule, row.parsed()) and not references.missing(parsed, row.parsed())
    ]


def start_simulation(
    *, rule: RuleVersion, programme: ProgrammeVersion, acting_user: User
) -> Simulation:
    """Let a worker simulate a draft for one programme.

    By a clerk of the owner or of the authority. While one of the same document
    and programme runs, that is returned. Raises NothingToSimulate,
    DocumentRefused when the rule names what the programme does not have,
    Forbidden, NotFound.
    """
    _clerk(rule.owner, acting_user)
    if rule.is_published:
        raise NothingToSimulate(gettext("这个版本已经公布，不再模拟。"))
    if not rulebook.is_for(rule, programme.parsed()):
        raise NothingToSimulate(gettext("这条规则不用于这个专业。"))
    missing = references.missing(rule.parsed(), programme.parsed())
    if missing:
        raise DocumentRefused(missing, gettext("规则用到了这个专业没有的内容。"))
    with transaction.atomic():
        held = RuleVersion.objects.select_for_update().get(pk=rule.pk)
        running = (
            Simulation.objects.select_related("job")
            .filter(
                rule=held,
                programme=programme,
                digest=held.digest,
                job__state__in=[JobState.WAITING, JobState.RUNNING],
            )
            .first()
        )
        if running is not None:
            return running
        job = progress.create(SIMULATE, total=Learner.objects.count(), owner=acting_user.pk)
        found = Simulation.objects.create(
            rule=held,
            programme=programme,
            digest=bytes(held.digest),
            counts=Counts().stored(),
            job=job,
            started_by=acting_user,
        )
        outbox.enqueue_on_commit(SIMULATE, str(found.pk))
    logger.info("simulation %s of %s/%s started", found.pk, rule.code, rule.version)
    return found


def _clerk(owner: Institution, user: User) -> None:
    if institutions.membership(user, owner) is not None:
        access.member_for(user, owner.slug, Role.CLERK)
    else:
        access.authority_for(user, Role.CLERK)


def simulations_of(rule: RuleVersion) -> list[Simulation]:
    """Return a draft's simulations, newest first, those of earlier documents included."""
    return list(rule.simulations.select_related("job", "programme", "started_by"))


def simulation(rule: RuleVersion, pk: uuid.UUID) -> Simulation:
    """Return one simulation of a rule. Raises UnknownSimulation."""
    found = rule.simulations.select_related("job", "programme", "started_by").filter(pk=pk).first()
    if found is None:
        raise UnknownSimulation(simulation=str(pk))
    return found


# -- what is counted --------------------------------------------------------------------------
@dataclass(kw_only=True)
class Counts:
    """What a simulation has counted; credits in hundredths."""

    learners: int = 0
    forgotten: int = 0
    holding: int = 0
    """Those who hold an outcome that can be used."""
    states: Counter[str] = field(default_factory=Counter)
    """How the draft stands to each of them: applies, unknown, refused, none."""
    aside: int = 0
    """Those for whom it could not be computed: too many ways to use their outcomes."""
    not_proved: int = 0
    gain: int = 0
    gain_credits: int = 0
    lose: int = 0
    lose_credits: int = 0
    bins: Counter[str] = field(default_factory=Counter)
    goals: Counter[str] = field(default_factory=Counter)
    """Of those who have the programme as a goal: all, gain, lose."""
    decisions: Counter[str] = field(default_factory=Counter)
    """Uses of the rule in decisions in force, held against the draft: more, less, same, refused."""
    reasons: Counter[str] = field(default_factory=Counter)
    obstacles: Counter[str] = field(default_factory=Counter)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            name: dict(value) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Counts:
        """Read it back."""
        members: dict[str, Any] = {
            name: Counter(value) if isinstance(value, dict) else value
            for name, value in stored.items()
        }
        return cls(**members)

    def add(self, effect: Effect, *, goal: bool) -> None:
        """Count one learner in."""
        self.states[effect.state] += 1
        self.not_proved += not effect.proved
        gained = int(effect.gained * 100)
        which = "gain" if gained > 0 else "lose" if gained < 0 else "same"
        if goal:
            self.goals["all"] += 1
            self.goals[which] += 1
        if gained > 0:
            self.gain += 1
            self.gain_credits += gained
        elif gained < 0:
            self.lose += 1
            self.lose_credits -= gained
        if gained:
            self.bins[f"{which} {bin_of(abs(effect.gained))}"] += 1
        self.reasons.update(f"{code} {pointer}" for code, pointer in effect.reasons)
        self.obstacles.update(
            {
                f"{one.code} {one.holder}/{one.version} {one.pointer}"
                for one in effect.obstacles
                if one.holder
            }
        )


def bin_of(credits: Decimal) -> int:
    """Return the number of the group in which an amount of credits is counted, from 0."""
    return sum(1 for upper in BINS if credits > upper)


# -- running ----------------------------------------------------------------------------------
def run(pk: uuid.UUID) -> None:
    """Go on with a simulation for a while; the outbox calls it, perhaps twice."""
    found = Simulation.objects.select_related("job", "rule__owner", "programme").get(pk=pk)
    job = found.job
    interrupted = job.state == JobState.FAILED and job.error_code == "interrupted"
    if not job.at_work and not interrupted:
        return
    if bytes(found.digest) != bytes(found.rule.digest):
        progress.fail(job.pk, "draft-changed")
        return
    try:
        _go_on(found, job)
    except Exception:
        # Tried again while the outbox has patience; until then the page says the truth.
        progress.fail(job.pk, "interrupted")
        raise


def _go_on(found: Simulation, job: Job) -> None:
    until = time.monotonic() + SLICE_SECONDS
    frame = _Frame.of(found)
    counts, done = Counts.read(found.counts), job.done
    while done < job.total:
        if time.monotonic() > until:
            outbox.enqueue_on_commit(SIMULATE, str(found.pk))
            return
        batch = list(
            Learner.objects.order_by("opened_at", "pk")[done : min(done + BATCH, job.total)]
        )
        if not batch:
            break
        frame.count(batch, counts)
        done += len(batch)
        with transaction.atomic():
            Simulation.objects.filter(pk=found.pk).update(counts=counts.stored())
            progress.step(job.pk, done=done)
    counts.reasons = Counter(dict(counts.reasons.most_common(TOLD)))
    counts.obstacles = Counter(dict(counts.obstacles.most_common(TOLD)))
    with transaction.atomic():
        Simulation.objects.filter(pk=found.pk).update(counts=counts.stored())
        progress.succeed(job.pk)
    logger.info("simulation %s done over %s learners", found.pk, done)


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What is the same for all learners."""

    programme: Programme
    code: str
    exchange: Exchange
    on: date

    @property
    def new(self) -> Rule:
        """The draft."""
        return self.exchange.new

    @classmethod
    def of(cls, found: Simulation) -> _Frame:
        """Read the rules of the day on which the draft would first decide."""
        new, programme = found.rule.parsed(), found.programme.parsed()
        on = max(today(), new.first_day)
        rows = rulebook.rules_in_force(programme=programme, on=on)
        old = [row.parsed() for row in rows if row.code == new.code]
        return cls(
            programme=programme,
            code=found.programme.code,
            exchange=Exchange(
                old=old[0] if old else None,
                new=new,
                others=[row.parsed() for row in rows if row.code != new.code],
            ),
            on=on,
        )

    def count(self, batch: Sequence[Learner], counts: Counts) -> None:
        """Count a batch of learners in."""
        people = self._people(batch)
        counts.learners += len(batch)
        counts.forgotten += len(batch) - len(people)
        goals = set(
            Goal.objects.filter(learner__in=people, programme__code=self.code).values_list(
                "learner_id", flat=True
            )
        )
        earlier, used = self._decided(people)
        for learner, evidence in people.items():
            inputs = self._inputs(evidence, earlier.get(learner, ()))
            counts.holding += bool(inputs.evidence)
            try:
                effect = self.exchange.effect(inputs)
            except (evaluation.TooManySteps, plan.PlanRefused):
                counts.aside += 1
                continue
            counts.add(effect, goal=learner in goals)
            for leaves, given in used.get(learner, ()):
                counts.decisions[self._anew(inputs, evidence, leaves, given)] += 1

    def _people(self, batch: Sequence[Learner]) -> dict[uuid.UUID, list[Evidence]]:
        """Return what each learner holds; those who are forgotten are left out."""
        links = LearnerAccount.objects.filter(learner__in=batch).values_list(
            "account_id", "learner_id"
        )
        owners = dict(links)
        known = learnerkeys.keys_of(owners)
        gone = {owners[account] for account in owners if account not in known}
        gone |= {learner.pk for learner in batch if learner.is_forgotten}
        people: dict[uuid.UUID, list[Evidence]] = {
            learner.pk: [] for learner in batch if learner.pk not in gone
        }
        accounts = [account for account, learner in owners.items() if learner in people]
        for one in holdings.holdings_in(accounts) if accounts else ():
            people[owners[one.account]].append(one.evidence)
        return people

    def _decided(
        self, people: Iterable[uuid.UUID]
    ) -> tuple[
        dict[uuid.UUID, list[Line]], dict[uuid.UUID, list[tuple[tuple[bytes, ...], Decimal]]]
    ]:
        """Return the lines of decisions in force for the programme, and the uses of this rule in them."""
        rows = (
            DecisionLine.objects.filter(
                decision__state=DecisionState.IN_FORCE,
                decision__request__learner__in=list(people),
                decision__request__programme__code=self.code,
            )
            .exclude(verdict=LineVerdict.REFUSED)
            .select_related("decision__request")
            .order_by("decision__in_force_at", "decision_id", "position")
        )
        lines: dict[uuid.UUID, list[Line]] = {}
        uses: dict[tuple[uuid.UUID, uuid.UUID, tuple[bytes, ...]], Decimal] = {}
        for row in rows:
            learner = row.decision.request.learner_id
            line = situations.line_of(row)
            lines.setdefault(learner, []).append(line)
            if line.rule == self.new.code:
                key = learner, row.decision_id, line.leaves
                given = line.grant.credits + line.grant.surplus
                uses[key] = uses.get(key, Decimal(0)) + given
        used: dict[uuid.UUID, list[tuple[tuple[bytes, ...], Decimal]]] = {}
        for (learner, _decision, leaves), given in uses.items():
            used.setdefault(learner, []).append((leaves, given))
        return lines, used

    def _inputs(self, evidence: Sequence[Evidence], earlier: Sequence[Line]) -> Inputs:
        return Inputs(
            programme=self.programme,
            rules=(),
            evidence=tuple(one for one in evidence if one.state == "available"),
            held=tuple(one for one in evidence if one.state != "lapsed"),
            earlier=tuple(earlier),
            filed_on=self.on,
            law_on=self.on,
        )

    def _anew(
        self,
        inputs: Inputs,
        evidence: Sequence[Evidence],
        leaves: Sequence[bytes],
        credits: Decimal,
    ) -> str:
        """Say what the draft would make of a use that was decided: more, less, the same, refused."""
        wanted = set(leaves)
        sources = [effects.as_available(one) for one in evidence if one.leaf in wanted]
        given = effects.would_give(inputs, self.new, leaves, sources)
        if given is None:
            return "refused"
        return "more" if given > credits else "less" if given < credits else "same"

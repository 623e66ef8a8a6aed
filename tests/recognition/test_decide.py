"""Deciding line by line: whole, in part, waived, refused; and who may."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from creditbank import access
from creditbank.ledger import queries as ledger
from creditbank.ledger import recognitions
from creditbank.recognition.deciding import reasons
from creditbank.recognition.models import DecisionState, RequestSource, RequestState
from creditbank.recognition.workflow import cases, decisions, records
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import DecisionNotOpen, RequestNotOpen, VerdictsRefused
from creditbank.users.models import User
from creditbank.users.operations import bind_person
from learners import queries as learners
from tests.conftest import Database
from tests.institutions.cast import make_member, make_user
from tests.recognition.world import INFORMATION, STORAGE, World

WAIVED = Verdict(position=1, verdict="waived", reason="requirement-met-without-credit")


def refusal(world: World, *verdicts: Verdict) -> dict[int, list[str]]:
    request = world.request(world.graduate())
    with pytest.raises(VerdictsRefused) as caught:
        decisions.propose_decision(request=request, verdicts=verdicts, acting_user=world.officer())
    assert not request.decisions.exists()
    found: dict[int, list[str]] = {}
    for problem in caught.value.problems:
        assert problem.row is not None
        found.setdefault(problem.row - 1, []).append(problem.code)
    return found


# -- what is decided --------------------------------------------------------------------------
def test_one_course_whole_and_one_waived(world: World) -> None:
    """The journey: 4 credits and a waiver; the certificate is used."""
    learner = world.graduate()
    request = world.request(learner)
    decision = world.decide(request, Verdict(position=0, verdict="credit"), WAIVED)
    assert decision.state == DecisionState.IN_FORCE
    assert [
        (line.course, line.verdict, line.credits, line.rule_version)
        for line in decision.lines.all()
    ] == [(STORAGE, "credit", 4, 3), (INFORMATION, "waived", 0, 3)]
    request.refresh_from_db()
    assert request.state == RequestState.IN_FORCE
    totals = records.totals(learner)
    assert (totals.converted, totals.used, totals.reserved) == (4, 8, 0)


def test_it_is_one_submission_of_the_colleges_stream(world: World) -> None:
    decision = world.decide(world.request(world.graduate()))
    assert decision.entry_index is not None
    found = recognitions.recognition(decision.entry_index)
    assert found.decision == decision.number
    assert found.recognised.digest == bytes(decision.digest or b"")
    assert found.credits == 7
    (use,) = found.uses
    assert use.manifest_index == found.manifest_index
    assert found.stream == world.college.institution.streams.get().name
    assert ledger.receipt(decision.entry_index).count == 2


def test_a_part_is_more_than_nothing_and_less_than_all(world: World) -> None:
    decision = world.decide(
        world.request(world.graduate()),
        Verdict(
            position=0,
            verdict="part",
            credits=Decimal("2.5"),
            reason="credits-lower-than-course",
        ),
        Verdict(position=1, verdict="credit"),
    )
    assert decision.credits == Decimal("5.5")


def test_any_other_part_is_refused(world: World) -> None:
    for amount in ("0", "4", "5", "-1", "2.505"):
        part = Verdict(
            position=0,
            verdict="part",
            credits=Decimal(amount),
            reason="credits-lower-than-course",
        )
        assert refusal(world, part, WAIVED) == {0: ["credits-out-of-range"]}, amount


def test_a_refusal_of_everything_uses_nothing(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    refused = [Verdict(position=at, verdict="refused", reason="content-differs") for at in (0, 1)]
    decision = world.decide(request, *refused)
    request.refresh_from_db()
    assert (decision.state, request.state) == (DecisionState.REFUSED, RequestState.DECIDED)
    assert decision.entry_index is None
    assert not RequestSource.objects.filter(active=True).exists()
    assert records.totals(learner).used == 0
    # It can be asked for again.
    world.request(learner, [bytes(request.sources.get().leaf)])


def test_an_outcome_that_nothing_is_given_for_is_answered(world: World) -> None:
    item = world.x_certificate()
    world.publish(
        item,
        sources={"outcome": {"all": [{"item": [item.code]}, {"score": {"min": "90"}}]}},
    )
    learner = world.graduate()
    leaf = world.record_certificate(learner, item)
    request = world.request(learner, [leaf, *_best(world, learner)])
    decision = world.decide(request)
    last = decision.lines.last()
    assert last is not None
    assert (last.verdict, last.reason, last.leaf_hashes) == (
        "refused",
        "condition-not-met",
        (leaf,),
    )
    request.refresh_from_db()
    assert not RequestSource.objects.filter(active=True).exists()
    assert records.totals(learner).used == 8


def _best(world: World, learner: object) -> tuple[bytes, ...]:
    from creditbank.recognition.workflow import requests

    return requests.prepare(learner=learner, programme=world.programme).leaves  # type: ignore[arg-type]


# -- what a proposal does not admit -----------------------------------------------------------------
def test_every_fault_is_told_at_once(world: World) -> None:
    assert refusal(
        world,
        Verdict(position=0, verdict="waived"),
        Verdict(position=1, verdict="refused", reason="requirement-met-without-credit"),
        Verdict(position=2, verdict="credit"),
    ) == {0: ["reason-missing"], 1: ["reason-unfit"], 2: ["position-unknown"]}


def test_a_line_without_a_verdict_is_a_fault_and_so_is_one_with_two(world: World) -> None:
    assert refusal(world, Verdict(position=0, verdict="credit")) == {1: ["verdict-missing"]}
    twice = [Verdict(position=0, verdict="credit")] * 2
    assert refusal(world, *twice, WAIVED) == {0: ["verdict-twice"]}


def test_there_are_four_verdicts(world: World) -> None:
    found = refusal(world, Verdict(position=0, verdict="double", reason="core-course"), WAIVED)
    assert found == {0: ["verdict-unknown"]}


@pytest.mark.parametrize("template", reasons.TEMPLATES, ids=lambda one: one.code)
def test_every_reason_speaks_both_languages_and_fits_some_verdict(
    template: reasons.Template,
) -> None:
    assert template.verdicts <= {"part", "waived", "refused"}
    assert template.verdicts
    assert template.zh.endswith("。")
    assert template.en.endswith(".")
    assert reasons.text(template.code) == (template.zh, template.en)


# -- who decides --------------------------------------------------------------------------------
def test_nobody_decides_on_their_own_request(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    assert learner.user is not None
    make_member_of(world, learner.user)
    with pytest.raises(access.OwnAward):
        decisions.propose_decision(
            request=request, verdicts=[], acting_user=User.objects.get(pk=learner.user_id)
        )


def test_nor_under_another_user_of_the_same_person(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    second = make_user()
    assert learner.identity_digest is not None
    bind_person(user=second, digest=bytes(learner.identity_digest))
    make_member_of(world, second)
    with pytest.raises(access.OwnAward):
        decisions.propose_decision(request=request, verdicts=[], acting_user=second)


def make_member_of(world: World, user: User) -> None:
    from creditbank.institutions import operations

    operations.add_member(
        institution=world.college.institution,
        user=user,
        role="reviewer",
        acting_user=None,
        person_digest=None,
    )


def test_a_clerk_does_not_decide_nor_does_another_institution(world: World) -> None:
    request = world.request(world.graduate())
    stranger = make_member(world.trainer, "reviewer", serial=77).user
    for user in (world.college.clerk, stranger):
        with pytest.raises(access.Forbidden):
            decisions.propose_decision(request=request, verdicts=[], acting_user=user)


def test_a_request_is_decided_once(world: World) -> None:
    request = world.request(world.graduate())
    world.decide(request)
    request.refresh_from_db()
    with pytest.raises(RequestNotOpen):
        decisions.propose_decision(request=request, verdicts=[], acting_user=world.officer(1))


# -- notes --------------------------------------------------------------------------------------
def test_what_a_reviewer_adds_is_for_the_learner_alone(world: World) -> None:
    request = world.request(world.graduate())
    note = "李同学请于下学期补修实训部分"
    decision = world.decide(
        request,
        Verdict(position=0, verdict="credit"),
        Verdict(position=1, verdict="waived", reason="requirement-met-without-credit", note=note),
    )
    assert decisions.notes_of(decision) == {1: note}
    assert note.encode() not in bytes(decision.notes_sealed)
    assert note not in decisions.package_bytes(decision).decode()


# -- frozen -------------------------------------------------------------------------------------
FROZEN = {
    "recognition_decision": "UPDATE recognition_decision SET credits = 9",
    "digest": "UPDATE recognition_decision SET digest = sha256('x')",
    "state": "UPDATE recognition_decision SET state = 'decided'",
    "entry": "UPDATE recognition_decision SET entry_index = 3",
    "flag": "UPDATE recognition_decision SET notes_sealed = sha256('x') || sha256('x')",
    "delete": "DELETE FROM recognition_decision",
    "truncate": "TRUNCATE recognition_decision CASCADE",
    "line": "UPDATE recognition_decisionline SET credits = 0",
    "line gone": "DELETE FROM recognition_decisionline",
    "line more": "INSERT INTO recognition_decisionline (decision_id, position, rule_code,"
    " rule_version, leaves, course, category, verdict, credits, surplus, surplus_category,"
    " proposed, reason, law) SELECT id, 9, 'R', 1, sha256('x'), 'C', '', 'credit', 1, 0, '', 1,"
    " '', '' FROM recognition_decision",
    "review": "UPDATE recognition_review SET verdict = 'return'",
    "review gone": "DELETE FROM recognition_review",
}


def test_a_decision_that_is_made_is_frozen_even_for_its_owner(world: World, db: Database) -> None:
    world.decide(world.request(world.graduate()))
    with psycopg.connect(db.owner_url, autocommit=True) as owner:
        for change in FROZEN.values():
            with pytest.raises(psycopg.Error):
                owner.execute(change.encode())


def test_the_case_is_the_same_for_whoever_looks(world: World) -> None:
    request = world.request(world.graduate())
    first, second = cases.current(request), cases.current(request)
    assert first.computed == second.computed
    assert learners.learner_of(world.officer()) is None


def test_two_proposals_do_not_wait_at_once(world: World) -> None:
    rule = world.rule
    assert rule is not None
    world.publish(
        code=rule.code,
        version=4,
        in_force={"from": "2025-02-01"},
        procedure={"mode": "review", "reviewers": 2},
    )
    request = world.request(world.graduate())
    assert world.decide(request).state == DecisionState.PROPOSED
    with pytest.raises(DecisionNotOpen):
        world.decide(request, by=1)

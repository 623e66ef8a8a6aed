"""R36, appeal (申诉、复核), and a person instead of a computation.

Sources U12, C31b, L1: an appeal goes to people who did not decide; the Personal
Information Protection Law, article 24, gives a right to refuse a decision made
by automated means alone. Fifteen days stand for the time to appeal.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from creditbank import access
from creditbank.clock import now, today
from creditbank.ledger import recognitions
from creditbank.recognition import replay
from creditbank.recognition.models import (
    Appeal,
    AppealState,
    Decision,
    DecisionState,
    RequestSource,
    RequestState,
)
from creditbank.recognition.models import Request as RecognitionRequest
from creditbank.recognition.workflow import (
    appeals,
    cases,
    decisionfile,
    decisions,
    records,
    requests,
)
from creditbank.recognition.workflow.appeals import Attachment
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import (
    AppealNotOpen,
    AppealRefused,
    NotAutomatic,
    RequestRefused,
    VerdictsRefused,
)
from learners.models import Learner
from tests.recognition.world import INFORMATION, STORAGE, World

WAIVED = Verdict(position=1, verdict="waived", reason="requirement-met-without-credit")
WHOLE = (Verdict(position=0, verdict="credit"), Verdict(position=1, verdict="credit"))


def decided(world: World, *verdicts: Verdict) -> Decision:
    request = world.request(world.graduate())
    return world.decide(request, *(verdicts or (Verdict(position=0, verdict="credit"), WAIVED)))


def appealed(world: World, decision: Decision, **changes: Any) -> Appeal:
    facts: dict[str, Any] = {
        "decision": decision,
        "positions": [1],
        "text": "证书包含物流信息系统实训，请计学分。",
        "acting_user": decision.request.learner.user,
    } | changes
    return appeals.file_appeal(**facts)


# -- filing -------------------------------------------------------------------------------------
def test_an_appeal_is_filed_until_the_fifteenth_day(world: World) -> None:
    decision = decided(world)
    with time_machine.travel(now() + timedelta(days=15), tick=True):
        appeal = appealed(world, decision)
    assert appeal.state == AppealState.OPEN
    request = decision.request
    request.refresh_from_db()
    assert (request.state, request.appealed_at is not None) == (RequestState.IN_FORCE, True)


def test_the_day_after_it_is_too_late(world: World) -> None:
    decision = decided(world)
    with (
        time_machine.travel(now() + timedelta(days=16), tick=True),
        pytest.raises(AppealRefused) as caught,
    ):
        appealed(world, decision, positions=[1, 7])
    assert [one.code for one in caught.value.problems] == ["appeal-too-late", "position-unknown"]


def test_a_decision_is_appealed_against_once(world: World) -> None:
    decision = decided(world)
    appealed(world, decision)
    with pytest.raises(AppealRefused) as caught:
        appealed(world, decision)
    assert [one.code for one in caught.value.problems] == ["appealed-before"]


def test_what_is_said_and_attached_is_sealed(world: World) -> None:
    decision = decided(world)
    scan = Attachment(name="实训证明.pdf", data=b"%PDF-1.7 proof")
    appeal = appealed(world, decision, attachment=scan)
    appeals.say(appeal=appeal, text="已收到，正在核对。", acting_user=world.officer(1))
    first, second = appeals.thread(appeal)
    assert (first.row.by_learner, first.file_name) == (True, "实训证明.pdf")
    assert appeals.attachment_of(first.row) == scan
    assert (second.row.by_learner, second.text) == (False, "已收到，正在核对。")
    assert b"%PDF" not in bytes(first.row.file_sealed)
    assert "实训".encode() not in bytes(first.row.text_sealed)


@pytest.mark.parametrize("data", [b"MZ\x90", b"%PDF-" + bytes(5 << 20)], ids=["kind", "size"])
def test_other_files_are_not_taken(world: World, data: bytes) -> None:
    with pytest.raises(appeals.FileRefused):
        appealed(world, decided(world), attachment=Attachment(name="a.pdf", data=data))


# -- answering ----------------------------------------------------------------------------------
def test_whoever_decided_does_not_decide_again(world: World) -> None:
    appeal = appealed(world, decided(world))
    with pytest.raises(access.SamePerson):
        appeals.decide_anew(appeal=appeal, verdicts=WHOLE, text="同意", acting_user=world.officer())
    with pytest.raises(access.SamePerson):
        appeals.uphold(appeal=appeal, text="维持", acting_user=world.officer())


def test_a_new_decision_takes_the_place_of_the_old_in_one_submission(world: World) -> None:
    """The journey: the waived line gets its 3 credits; 4 become 7; both decisions are in the history."""
    old = decided(world)
    learner = old.request.learner
    assert records.totals(learner).converted == 4
    new = appeals.decide_anew(
        appeal=appealed(world, old),
        verdicts=WHOLE,
        text="经复核，实训内容覆盖该课程。",
        acting_user=world.officer(1),
    )
    assert (new.state, new.credits, new.replaces) == (DecisionState.IN_FORCE, 7, old)
    old.refresh_from_db()
    assert old.state == DecisionState.REPLACED
    assert records.totals(learner).converted == 7
    assert [one.number for one in records.history(old.request)] == [old.number, new.number]
    assert new.entry_index is not None
    entered = recognitions.recognition(new.entry_index)
    was = recognitions.recognition(old.entry_index or 0)
    assert was.reversed_ is not None
    assert was.reversed_.index == old.reversal_index == new.entry_index - 1
    assert entered.manifest_index == was.reversed_.index - 2
    appeal = Appeal.objects.get()
    assert (appeal.state, appeal.outcome) == (AppealState.CHANGED, new)


def test_the_new_decision_replays_and_names_the_old_one(world: World) -> None:
    old = decided(world)
    new = appeals.decide_anew(
        appeal=appealed(world, old), verdicts=WHOLE, text="同意", acting_user=world.officer(1)
    )
    package = decisions.package_of(new)
    assert (package.replaces, package.appeal) == (old.number, Appeal.objects.get().number)
    assert package.earlier == ()
    report = replay.verify(decisionfile.build(new), trust=None)
    assert report.outcome == "could-not-be-checked"
    assert all(check.state != "invalid" for check in report.checks)


def test_it_is_decided_under_the_law_appealed_to(world: World) -> None:
    """A new version gives only 3 + 2 from this very day: the appeal still gives 4 + 3."""
    old = decided(world)
    at_once = today().isoformat()
    assert world.rule is not None
    world.publish(
        code=world.rule.code,
        version=4,
        in_force={"from": at_once},
        law="decision",
        allocation={
            "to": [
                {"course": STORAGE, "credits": "3"},
                {"course": INFORMATION, "credits": "2"},
            ]
        },
    )
    with time_machine.travel(now() + timedelta(days=3), tick=True):
        new = appeals.decide_anew(
            appeal=appealed(world, old), verdicts=WHOLE, text="同意", acting_user=world.officer(1)
        )
    assert new.credits == 7
    assert {line.rule_version for line in new.lines.all()} == {3}


def test_an_appeal_makes_nothing_worse(world: World) -> None:
    appeal = appealed(world, decided(world))
    less = Verdict(position=0, verdict="waived", reason="requirement-met-without-credit")
    with pytest.raises(VerdictsRefused) as caught:
        appeals.decide_anew(
            appeal=appeal, verdicts=[less, WHOLE[1]], text="…", acting_user=world.officer(1)
        )
    assert [one.code for one in caught.value.problems] == ["less-than-before"]


def two_for_a_category(world: World) -> tuple[Learner, list[bytes]]:
    """Two certificates, each for credits of the electives."""
    learner, leaves = world.learner(), []
    for amount in ("3", "1.5"):
        item = world.x_certificate()
        world.publish(item, allocation={"to": [{"category": "elective", "credits": amount}]})
        leaves.append(world.record_certificate(learner, item))
    return learner, leaves


def test_a_category_is_one_target_whatever_its_credits_come_from(bare_world: World) -> None:
    learner, leaves = two_for_a_category(bare_world)
    request = bare_world.request(learner, leaves)
    half = Verdict(
        position=0, verdict="part", credits=Decimal("2"), reason="credits-lower-than-course"
    )
    old = bare_world.decide(request, half, Verdict(position=1, verdict="credit"))
    new = appeals.decide_anew(
        appeal=appealed(bare_world, old, positions=[0]),
        verdicts=WHOLE,
        text="同意",
        acting_user=bare_world.officer(1),
    )
    assert (new.state, new.credits) == (DecisionState.IN_FORCE, Decimal("4.5"))


def test_what_was_refused_and_used_elsewhere_since_is_no_part_of_the_appeal(
    bare_world: World,
) -> None:
    learner, leaves = two_for_a_category(bare_world)
    request = bare_world.request(learner, leaves)
    refused = Verdict(position=0, verdict="refused", reason="content-differs")
    half = Verdict(
        position=1, verdict="part", credits=Decimal("0.5"), reason="credits-lower-than-course"
    )
    old = bare_world.decide(request, refused, half)
    (leaf,) = old.lines.order_by("position")[0].leaf_hashes
    since = bare_world.decide(bare_world.request(learner, [leaf]))
    assert since.state == DecisionState.IN_FORCE
    new = appeals.decide_anew(
        appeal=appealed(bare_world, old, positions=[1]),
        verdicts=WHOLE[:1],
        text="同意",
        acting_user=bare_world.officer(1),
    )
    assert new.state == DecisionState.IN_FORCE
    assert since.credits + new.credits == Decimal("4.5")
    report = replay.verify(decisionfile.build(new), trust=None)
    assert [check for check in report.checks if check.state == "invalid"] == []


def test_upheld_the_decision_stands(world: World) -> None:
    old = decided(world)
    appeal = appeals.uphold(
        appeal=appealed(world, old), text="经复核，维持原决定。", acting_user=world.officer(1)
    )
    assert appeal.state == AppealState.UPHELD
    old.refresh_from_db()
    assert old.state == DecisionState.IN_FORCE
    with pytest.raises(AppealNotOpen):
        appeals.uphold(appeal=appeal, text="再次", acting_user=world.officer(2))


def test_withdrawn_the_decision_stands(world: World) -> None:
    old = decided(world)
    appeal = appealed(world, old)
    user = old.request.learner.user
    assert user is not None
    for _ in range(2):
        appeal = appeals.withdraw_appeal(appeal=appeal, acting_user=user)
    assert appeal.state == AppealState.WITHDRAWN
    old.refresh_from_db()
    assert old.state == DecisionState.IN_FORCE


def test_a_refusal_can_be_appealed_against_and_its_outcome_is_reserved_again(world: World) -> None:
    refused = [Verdict(position=at, verdict="refused", reason="content-differs") for at in (0, 1)]
    old = decided(world, *refused)
    appeal = appealed(world, old, positions=[0, 1])
    assert RequestSource.objects.filter(active=True).count() == 1
    new = appeals.decide_anew(
        appeal=appeal, verdicts=WHOLE, text="同意", acting_user=world.officer(1)
    )
    assert (new.state, new.credits) == (DecisionState.IN_FORCE, 7)
    old.refresh_from_db()
    assert old.state == DecisionState.REPLACED
    request = new.request
    request.refresh_from_db()
    assert request.state == RequestState.IN_FORCE


def test_an_appeal_needs_as_many_people_as_the_decision(bare_world: World) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "reviewers": 2})
    request = world.request(world.graduate())
    old = world.decide(request, Verdict(position=0, verdict="credit"), WAIVED)
    old = decisions.agree(decision=old, acting_user=world.officer(1))
    assert old.state == DecisionState.IN_FORCE
    appeal = appealed(world, old)
    new = appeals.decide_anew(
        appeal=appeal, verdicts=WHOLE, text="同意", acting_user=world.officer(2)
    )
    assert new.state == DecisionState.PROPOSED
    with pytest.raises(access.SamePerson):
        decisions.agree(decision=new, acting_user=world.officer(1))
    new = decisions.agree(decision=new, acting_user=world.officer(3))
    assert (new.state, records.totals(request.learner).converted) == (DecisionState.IN_FORCE, 7)


# -- a person instead ----------------------------------------------------------------------------
def refused_automatically(world: World) -> RecognitionRequest:
    """A score of 86 where 90 are asked for, and nobody looks."""
    world.publish(
        sources={
            "outcome": {"all": [{"item": [world.certificate.code]}, {"score": {"min": "90"}}]}
        },
        procedure={"mode": "automatic"},
    )
    learner = world.graduate()
    leaf = next(
        one.holding.leaf
        for one in requests.prepare(learner=learner, programme=world.programme).choices
    )
    request = world.request(learner, [leaf])
    decisions.decide_automatically(request)
    request.refresh_from_db()
    return request


def test_an_automatic_refusal_says_why_and_a_person_can_be_asked_for(bare_world: World) -> None:
    world = bare_world
    request = refused_automatically(world)
    (refused,) = records.history(request)
    assert (refused.state, refused.automatic) == (DecisionState.REFUSED, True)
    (finding,) = decisions.package_of(refused).findings
    assert [(one.code, one.found, one.wanted, one.change) for one in finding.reasons] == [
        ("score", "86", "≥ 90", "+4")
    ]
    assert request.learner.user is not None
    for _ in range(2):
        request = requests.ask_for_person(request=request, acting_user=request.learner.user)
    assert request.state == RequestState.SUBMITTED
    assert request.person_asked_at is not None
    assert not cases.current(request).procedure.automatic
    assert decisions.decide_automatically(request) is None
    new = world.decide(request)
    assert (new.state, new.automatic, new.replaces) == (DecisionState.REFUSED, False, refused)
    refused.refresh_from_db()
    assert refused.state == DecisionState.REPLACED


def test_where_nothing_was_refused_automatically_nobody_is_asked(world: World) -> None:
    decision = decided(world)
    user = decision.request.learner.user
    assert user is not None
    with pytest.raises(NotAutomatic):
        requests.ask_for_person(request=decision.request, acting_user=user)


def test_what_was_used_meanwhile_is_not_reserved_again(bare_world: World) -> None:
    world = bare_world
    request = refused_automatically(world)
    learner, leaf = request.learner, bytes(request.sources.get().leaf)
    other = world.request(learner, [leaf])
    assert learner.user is not None
    with pytest.raises(RequestRefused) as caught:
        requests.ask_for_person(request=request, acting_user=learner.user)
    assert [(one.code, one.value) for one in caught.value.problems] == [
        ("source-reserved", other.number)
    ]

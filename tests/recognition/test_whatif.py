"""What a learner sees of a programme; the figures are the journey's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine

from creditbank.clock import now, today
from creditbank.recognition.models import Decision, Request, RequestSource
from creditbank.recognition.workflow import appeals, decisions, records, whatif
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.whatif import Look
from learners.models import Learner
from tests.recognition.world import INFORMATION, STORAGE, World

WAIVED = Verdict(position=1, verdict="waived", reason="requirement-met-without-credit")


def look(world: World, learner: Learner, **changes: Any) -> Look:
    return whatif.look(learner=learner, programme=world.programme, **changes)


def ring(found: Look) -> tuple[int, int, int, int]:
    """Counted, pending, previewed, missing."""
    return (
        int(found.now.counted),
        int(found.now.pending),
        int(found.preview.counted),
        int(found.now.missing),
    )


# -- the journey ------------------------------------------------------------------------------
def test_the_journeys_figures(world: World) -> None:
    learner = world.graduate()
    found = look(world, learner)
    assert ring(found) == (41, 0, 48, 35)
    assert [(one.code, int(one.asked), int(one.counted)) for one in found.now.categories] == [
        ("required", 52, 35),
        ("elective", 16, 6),
        ("practice", 8, 0),
    ]
    assert len(found.usable) == 1
    assert [(line.course, line.version) for line in found.usable[0].lines] == [
        (STORAGE, 3),
        (INFORMATION, 3),
    ]
    assert not Request.objects.exists()
    assert ring(look(world, learner)) == (41, 0, 48, 35)

    request = world.request(learner)
    assert ring(look(world, learner)) == (41, 7, 48, 35)

    decision = world.decide(request, Verdict(position=0, verdict="credit"), WAIVED)
    found = look(world, learner)
    assert ring(found) == (45, 0, 45, 31)
    met = {one.course.code: one for one in found.requirements}
    for course, kind, gives in ((STORAGE, "recognised", 4), (INFORMATION, "waived", 0)):
        (by,) = met[course].met_by
        assert (by.source.kind, by.source.credits, by.source.version, by.decision) == (
            kind,
            gives,
            3,
            decision.number,
        )

    new_version(world, "3", "2")
    assert ring(look(world, learner)) == (45, 0, 45, 31)
    other = world.learner()
    world.record_certificate(other)
    assert look(world, other).preview.counted == 5

    appeal = appeals.file_appeal(
        decision=decision,
        positions=[1],
        text="请计学分",
        acting_user=learner.user,  # type: ignore[arg-type]
    )
    appeals.decide_anew(
        appeal=appeal,
        verdicts=[Verdict(position=0, verdict="credit"), Verdict(position=1, verdict="credit")],
        text="同意",
        acting_user=world.officer(1),
    )
    assert ring(look(world, learner)) == (48, 0, 48, 28)
    assert len(records.history(request)) == 2


def new_version(world: World, storage: str, information: str) -> None:
    assert world.rule is not None
    world.publish(
        code=world.rule.code,
        version=4,
        in_force={"from": today().isoformat()},
        allocation={
            "to": [
                {"course": STORAGE, "credits": storage},
                {"course": INFORMATION, "credits": information},
            ]
        },
    )


def test_what_one_of_a_panel_has_proposed_is_not_shown_before_all_agree(bare_world: World) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "panel": {"members": 2}})
    learner = world.graduate()
    request = world.request(learner)
    decision = world.decide(request, Verdict(position=0, verdict="credit"), WAIVED)
    found = look(world, learner)
    assert ring(found) == (41, 7, 48, 35)
    assert [one.decision for one in found.pending] == [None]
    decisions.agree(decision=decision, acting_user=world.officer(1))
    assert ring(look(world, learner)) == (45, 0, 45, 31)


# -- what stands behind each figure -----------------------------------------------------------------
def test_each_course_says_what_meets_it(world: World) -> None:
    learner = world.graduate()
    found = {one.course.code: one for one in look(world, learner).requirements}
    (native,) = found["REQ-1"].met_by
    assert (native.source.kind, native.source.mark) == ("native", "86")
    assert native.holdings[0].evidence.outcome.title == "必修课程1"
    assert [line.course for line in found[STORAGE].could_be] == [STORAGE]
    assert found["REQ-8"].met_by == found["REQ-8"].could_be == found["REQ-8"].near == ()


def test_each_course_says_why_nothing_meets_it(bare_world: World) -> None:
    world = bare_world
    world.publish(
        sources={"outcome": {"all": [{"item": [world.certificate.code]}, {"score": {"min": "90"}}]}}
    )
    found = {one.course.code: one for one in look(world, world.graduate()).requirements}
    (near,) = found[STORAGE].near
    assert [(one.code, one.found, one.wanted, one.change) for one in near.reasons] == [
        ("score", "86", "≥ 90", "+4")
    ]


def test_the_shortest_way_to_the_end(world: World) -> None:
    """35 are missing: 2 x 5 + 4 + 3 required, 3 x 3 + 1 electives, 8 practice."""
    found = look(world, world.graduate()).missing
    assert found.state == "shortest"
    assert set(found.courses) == {
        STORAGE,
        INFORMATION,
        "REQ-8",
        "REQ-9",
        "PRA-1",
        *(f"ELE-{number}" for number in range(3, 7)),
    }
    assert found.credits == 4 + 3 + 10 + 8 + 12


# -- what if --------------------------------------------------------------------------------------
def test_a_preview_can_be_kept_to_one_course(world: World) -> None:
    learner = world.graduate()
    assert look(world, learner, targets=[STORAGE]).preview.counted == 45
    assert look(world, learner, leaves=[]).preview.counted == 41


def test_nothing_is_stored(world: World) -> None:
    learner = world.graduate()
    look(world, learner)
    assert not Request.objects.exists()
    assert not RequestSource.objects.exists()
    assert not Decision.objects.exists()


def test_two_requests_are_not_shown_the_same_course(world: World) -> None:
    """What an open request would get is not proposed again for another outcome."""
    other = world.x_certificate()
    world.publish(other)
    learner = world.graduate()
    world.request(learner)
    world.record_certificate(learner, other)
    found = look(world, learner)
    assert ring(found) == (41, 7, 48, 35)
    assert found.usable == ()


# -- new rules ------------------------------------------------------------------------------------
def test_a_new_rule_says_how_many_credits_it_opens(bare_world: World) -> None:
    """“6 of your credits can be used since today's new rule”."""
    world = bare_world
    learner = world.graduate()
    assert look(world, learner).new is None
    item = world.item(proposed_credits=Decimal("6.00"))
    leaf = world.record_outcome(learner, item)
    rule = world.publish(
        item,
        gate=None,
        sources={"outcome": {"item": [item.code]}},
        allocation={"to": [{"category": "elective", "credits": "6"}]},
        in_force={"from": today().isoformat()},
    )
    new = look(world, learner).new
    assert new is not None
    assert (new.credits, new.bank_credits, new.leaves, new.since) == (6, 6, (leaf,), today())
    assert new.rows == (rule,)


def test_after_thirty_days_a_rule_is_new_no_more(world: World) -> None:
    learner = world.graduate()
    new_version(world, "4", "3")
    for days, is_new in ((29, False), (31, False)):
        with time_machine.travel(now() + timedelta(days=days), tick=True):
            # It adds nothing to what the earlier version gave.
            assert (look(world, learner).new is not None) is is_new
    world.publish(
        world.certificate,
        in_force={"from": today().isoformat()},
        allocation={"to": [{"category": "elective", "credits": "8"}]},
    )
    for days, is_new in ((29, True), (31, False)):
        with time_machine.travel(now() + timedelta(days=days), tick=True):
            assert (look(world, learner).new is not None) is is_new

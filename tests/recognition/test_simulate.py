"""Simulating a draft: who would gain, who would lose, and nothing of anybody's."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from creditbank import access
from creditbank.jobs import outbox
from creditbank.jobs.models import Job, JobState
from creditbank.ledger.numbers import format_account
from creditbank.recognition.models import Goal, RuleVersion, Simulation
from creditbank.recognition.register import publishing, rulebook
from creditbank.recognition.register.checking import DocumentRefused
from creditbank.recognition.workflow import simulation
from creditbank.recognition.workflow.simulation import Counts
from learners import operations as learners
from learners.models import Learner
from tests.institutions.cast import approve, propose
from tests.recognition.shelf import Shelf, make_authority, make_shelf, written
from tests.recording.cast import School, make_school, somebody

_terms = itertools.count(1)


@pytest.fixture
def school(bank: Any, settings: Any) -> School:
    """A college that records courses; its first item is what rules use."""
    settings.STAFF_SECOND_FACTOR = False
    return make_school(courses=2)


@pytest.fixture
def shelf(school: School) -> Shelf:
    """The same college, writing rules."""
    return Shelf(
        institution=school.institution,
        clerk_member=school.clerk_member,
        reviewer_member=school.reviewer_member,
    )


def hold(school: School, *scores: str, item: int = 0) -> None:
    """Let one new learner after the other hold the item, each with a score."""
    school.record(
        *(
            school.row(number, item=school.items[item].code, score=score)
            for number, score in enumerate(scores, 2)
        )
    )


def rule(school: School, shelf: Shelf, **changes: Any) -> dict[str, Any]:
    return shelf.rule(
        **{
            "code": "R-1",
            "gate": None,
            "sources": {
                "outcome": {"all": [{"item": [school.items[0].code]}, {"score": {"min": "80"}}]}
            },
            "allocation": {"to": [{"course": "ENG-101", "credits": "3"}]},
            "constraints": None,
        }
        | changes
    )


def simulate(shelf: Shelf, row: RuleVersion, programme: Any) -> Counts:
    found = simulation.start_simulation(rule=row, programme=programme, acting_user=shelf.clerk)
    outbox.run_due()
    found = Simulation.objects.select_related("job").get(pk=found.pk)
    assert found.job.state == JobState.SUCCEEDED, found.job.error_code
    assert found.job.done == found.job.total
    return Counts.read(found.counts)


def test_who_would_gain_by_a_new_rule_is_counted(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, "90", "85", "79")
    hold(school, "95", item=1)
    counts = simulate(shelf, shelf.draft(rule(school, shelf)), programme)
    assert (counts.learners, counts.holding) == (4, 4)
    assert (counts.gain, counts.gain_credits) == (2, 600)
    assert (counts.lose, counts.lose_credits) == (0, 0)
    assert dict(counts.states) == {"applies": 2, "refused": 1, "none": 1}
    assert dict(counts.bins) == {"gain 2": 2}
    assert dict(counts.reasons) == {"score /sources/outcome/all/1/score": 1}


def test_who_would_lose_by_a_stricter_version_is_counted(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    shelf.publish(rule(school, shelf, version=1))
    hold(school, "90", "85", "82")
    draft = shelf.draft(
        rule(
            school,
            shelf,
            version=2,
            in_force={"from": "2026-06-01"},
            sources={
                "outcome": {"all": [{"item": [school.items[0].code]}, {"score": {"min": "85"}}]}
            },
        )
    )
    counts = simulate(shelf, draft, programme)
    assert (counts.gain, counts.lose) == (0, 1)
    assert counts.lose_credits == 300
    assert dict(counts.bins) == {"lose 2": 1}


def test_what_keeps_a_use_out_of_the_plan_is_counted(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    person = somebody()
    school.record(
        school.row(2, document=person, item=school.items[0].code, score="90"),
        school.row(3, document=person, item=school.items[1].code, score="90"),
    )
    draft = shelf.draft(
        rule(
            school,
            shelf,
            sources={"outcome": {"kind": ["course"]}},
            allocation={
                "to": [{"course": "ENG-101"}, {"course": "EV-201"}, {"course": "ART-1"}],
                "choose": 1,
            },
            constraints=[{"cap": {"credits": "4"}}],
        )
    )
    counts = simulate(shelf, draft, programme)
    assert (counts.gain, counts.gain_credits) == (1, 400)
    assert dict(counts.obstacles) == {"cap R-1/1 /constraints/0/cap/credits": 1}


def test_those_with_the_programme_as_a_goal_are_told_apart(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, "90", "85")
    Goal.objects.create(learner=Learner.objects.order_by("opened_at")[0], programme=programme)
    counts = simulate(shelf, shelf.draft(rule(school, shelf)), programme)
    assert counts.gain == 2
    assert dict(counts.goals) == {"all": 1, "gain": 1}


def test_forgotten_persons_are_skipped_and_counted(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, "90", "85")
    gone = Learner.objects.order_by("opened_at")[0]
    learners.forget_learner(gone)
    counts = simulate(shelf, shelf.draft(rule(school, shelf)), programme)
    assert (counts.learners, counts.forgotten, counts.gain) == (2, 1, 1)


def test_nothing_of_a_person_is_kept(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, "90", "85")
    simulate(shelf, shelf.draft(rule(school, shelf)), programme)
    found = Simulation.objects.get()
    kept = json.dumps([found.counts, found.job.result, list(map(str, Job.objects.values()))])
    for learner in Learner.objects.all():
        assert str(learner.pk) not in kept
        assert str(learner.account_id) not in kept
        assert format_account(learner.account_id) not in kept


def test_it_goes_on_where_it_was(
    school: School, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, *["90"] * 5)
    monkeypatch.setattr(simulation, "BATCH", 2)
    row = shelf.draft(rule(school, shelf))
    found = simulation.start_simulation(rule=row, programme=programme, acting_user=shelf.clerk)
    real = simulation._Frame.count
    tries = iter(range(10))

    def breaks_once(self: Any, *args: Any) -> None:
        if next(tries) == 1:
            raise RuntimeError("gone")
        real(self, *args)

    monkeypatch.setattr(simulation._Frame, "count", breaks_once)
    with pytest.raises(RuntimeError):
        simulation.run(found.pk)
    found.job.refresh_from_db()
    assert (found.job.state, found.job.done) == (JobState.FAILED, 2)
    monkeypatch.setattr(simulation, "SLICE_SECONDS", -1.0)
    simulation.run(found.pk)
    monkeypatch.setattr(simulation, "SLICE_SECONDS", 60.0)
    simulation.run(found.pk)
    found.refresh_from_db()
    assert found.job.state == JobState.SUCCEEDED
    assert Counts.read(found.counts).gain == 5
    # Told once more, nothing happens.
    simulation.run(found.pk)
    assert Counts.read(Simulation.objects.get().counts).gain == 5


def test_a_draft_that_was_changed_meanwhile_is_not_simulated(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    row = shelf.draft(rule(school, shelf))
    found = simulation.start_simulation(rule=row, programme=programme, acting_user=shelf.clerk)
    publishing.change_draft(
        version=row,
        document=written(rule(school, shelf, title="另一个名称")),
        acting_user=shelf.clerk,
    )
    outbox.run_due()
    found.job.refresh_from_db()
    assert found.job.error_code == "draft-changed"


def test_started_twice_it_is_the_same_one(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    row = shelf.draft(rule(school, shelf))
    first = simulation.start_simulation(rule=row, programme=programme, acting_user=shelf.clerk)
    again = simulation.start_simulation(rule=row, programme=programme, acting_user=shelf.clerk)
    assert first.pk == again.pk
    assert simulation.simulation(row, first.pk).pk == first.pk
    assert [one.pk for one in simulation.simulations_of(row)] == [first.pk]


def test_what_cannot_be_simulated_is_refused(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    published = shelf.publish(rule(school, shelf))
    with pytest.raises(simulation.NothingToSimulate):
        simulation.start_simulation(rule=published, programme=programme, acting_user=shelf.clerk)
    elsewhere = shelf.draft(rule(school, shelf, code="R-2", programmes=["P-9"]))
    with pytest.raises(simulation.NothingToSimulate):
        simulation.start_simulation(rule=elsewhere, programme=programme, acting_user=shelf.clerk)
    unfit = shelf.draft(rule(school, shelf, code="R-3", allocation={"to": [{"course": "NO-SUCH"}]}))
    with pytest.raises(DocumentRefused):
        simulation.start_simulation(rule=unfit, programme=programme, acting_user=shelf.clerk)
    assert simulation.programmes_for(unfit) == []
    assert [row.code for row in simulation.programmes_for(published)] == ["P-1"]


def test_clerks_of_the_owner_and_of_the_authority_may_simulate(
    school: School, shelf: Shelf
) -> None:
    programme = shelf.publish_programme(code="P-1")
    row = shelf.filed(rule(school, shelf))
    stranger = make_shelf(stream=False)
    with pytest.raises(access.NotFound):
        simulation.start_simulation(rule=row, programme=programme, acting_user=stranger.clerk)
    authority = make_authority()
    assert simulation.start_simulation(
        rule=row, programme=programme, acting_user=authority.clerk
    ).pk


def test_a_draft_is_simulated_on_the_day_it_would_begin(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    shelf.publish(
        rule(school, shelf, version=1, in_force={"from": "2026-03-01", "until": "2098-12-31"})
    )
    hold(school, "90")
    draft = shelf.draft(rule(school, shelf, version=2, in_force={"from": "2099-01-01"}))
    counts = simulate(shelf, draft, programme)
    # On that day the older version is in force no more: the draft is a gain.
    assert (counts.gain, counts.lose) == (1, 0)


def test_amounts_are_grouped_by_their_upper_ends() -> None:
    groups = {
        amount: simulation.bin_of(Decimal(amount))
        for amount in ("0.5", "1", "1.01", "2", "4", "8", "16", "16.01")
    }
    assert groups == {
        "0.5": 0, "1": 0, "1.01": 1, "2": 1, "4": 2, "8": 3, "16": 4, "16.01": 5,
    }  # fmt: skip


def test_the_register_is_not_touched(school: School, shelf: Shelf) -> None:
    programme = shelf.publish_programme(code="P-1")
    hold(school, "90")
    simulate(shelf, shelf.draft(rule(school, shelf)), programme)
    assert rulebook.published_rules() == []
    assert approve(propose(school.institution)).code

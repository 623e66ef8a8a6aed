"""Filing a request: what is preselected, what is refused before it is filed, what it reserves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from creditbank.access import InstitutionSuspended, NotFound, OwnKeyStream
from creditbank.clock import today
from creditbank.institutions import operations as institutions
from creditbank.institutions.models import Institution, Stream
from creditbank.ledger import operations as ledger
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Request, RequestSource, RequestState
from creditbank.recognition.workflow import records, requests
from creditbank.recognition.workflow.errors import RequestRefused
from creditbank.recognition.workflow.requests import CONSENT
from learners.models import Consent
from tests.recognition.world import INFORMATION, STORAGE, World


def codes(refused: RequestRefused) -> list[str]:
    return [problem.code for problem in refused.problems]


def refusal(world: World, *arguments: Any, **changes: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        world.request(*arguments, **changes)
    return caught.value


# -- before it is filed -----------------------------------------------------------------------
def test_the_best_outcome_is_preselected_with_all_it_gives(world: World) -> None:
    learner = world.graduate()
    form = requests.prepare(learner=learner, programme=world.programme)
    assert [one.holding.evidence.outcome.item for one in form.choices if one.chosen] == [
        world.certificate.code
    ]
    assert {one.code: one.chosen for one in form.targets} == {STORAGE: True, INFORMATION: True}
    assert {line.course: line.credits for line in form.lines} == {STORAGE: 4, INFORMATION: 3}
    assert form.expected_on == workdays.after(today(), 10)


def test_a_course_can_be_left_out(world: World) -> None:
    form = requests.prepare(learner=world.graduate(), programme=world.programme, targets=[STORAGE])
    assert [line.course for line in form.lines] == [STORAGE]
    assert {one.code: one.chosen for one in form.targets} == {STORAGE: True, INFORMATION: False}


def test_preparing_stores_nothing(world: World) -> None:
    learner = world.graduate()
    requests.prepare(learner=learner, programme=world.programme)
    assert not Request.objects.exists()
    assert not RequestSource.objects.exists()
    assert not Consent.objects.exists()


# -- filing -------------------------------------------------------------------------------------
def test_a_request_has_a_number_a_clock_and_its_consent(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    assert request.number.startswith("R-")
    assert request.state == RequestState.SUBMITTED
    assert request.filed_on == today()
    assert request.expected_on == workdays.after(today(), 10)
    assert request.institution == world.college.institution
    consent = Consent.objects.get()
    assert (consent.learner, consent.purpose, consent.wording) == (
        learner,
        "mutual-recognition",
        CONSENT,
    )


def test_its_outcome_is_the_fourth_total(world: World) -> None:
    learner = world.graduate()
    before = records.totals(learner)
    world.request(learner)
    after = records.totals(learner)
    assert (after.reserved, after.available) == (8, before.available - 8)
    assert after.available + after.reserved + after.used + after.lapsed == before.available


def test_what_the_learner_writes_is_sealed(world: World) -> None:
    from creditbank.recognition.workflow.details import Details

    request = world.request(world.graduate(), words="  我在单位做  仓储工作 ", targets=[STORAGE])
    assert "仓储工作".encode() not in bytes(request.details_sealed)
    assert Details.of(request) == Details(targets=(STORAGE,), words="我在单位做 仓储工作")


# -- refused before it is filed -------------------------------------------------------------------
def test_a_used_outcome_is_refused_with_the_decision_that_uses_it(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = world.decide(request)
    leaf = bytes(request.sources.get().leaf)
    refused = refusal(world, learner, [leaf])
    assert codes(refused) == ["source-used"]
    assert refused.problems[0].value == decision.number
    assert records.uses_of(leaf)[0].decision == decision


def test_a_reserved_outcome_is_refused_with_the_request_that_has_it(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    refused = refusal(world, learner, [bytes(request.sources.get().leaf)])
    assert codes(refused) == ["source-reserved"]
    assert refused.problems[0].value == request.number


def test_a_reversed_outcome_is_refused(world: World) -> None:
    learner = world.learner()
    leaf = world.record_certificate(learner)
    index = requests.prepare(learner=learner, programme=world.programme).choices[0]
    ledger.reverse_entry(index=index.holding.evidence.index, reason="登记有误")
    assert codes(refusal(world, learner, [leaf])) == ["source-reversed"]


def test_an_expired_outcome_is_refused(world: World) -> None:
    learner = world.learner()
    leaf = world.record_certificate(learner, valid_until=today() - timedelta(days=1))
    ledger.expire_credits(on=today())
    assert codes(refusal(world, learner, [leaf])) == ["source-expired"]


def test_somebody_elses_outcome_is_refused_as_if_there_were_none(world: World) -> None:
    theirs = world.record_certificate(world.learner())
    refused = refusal(world, world.graduate(), [theirs, bytes(32)])
    assert codes(refused) == ["source-foreign", "source-foreign"]
    assert {problem.value for problem in refused.problems} == {None}


def test_an_outcome_that_no_rule_of_the_programme_is_about_is_refused(world: World) -> None:
    learner = world.learner()
    leaf = world.record_outcome(learner, world.item())
    assert codes(refusal(world, learner, [leaf])) == ["outside-programme"]


def test_all_problems_are_told_at_once(world: World) -> None:
    learner = world.graduate()
    used = bytes(world.request(learner).sources.get().leaf)
    other = world.record_outcome(learner, world.item())
    refused = refusal(world, learner, [used, other, bytes(32)], ["NO-SUCH-COURSE"], consent="")
    assert codes(refused) == [
        "source-reserved",
        "outside-programme",
        "source-foreign",
        "target-unknown",
        "consent-missing",
    ]
    assert Request.objects.count() == 1


def test_nothing_chosen_is_refused(world: World) -> None:
    assert codes(refusal(world, world.graduate(), [])) == ["nothing-chosen"]


def test_nobody_files_for_another(world: World) -> None:
    learner = world.graduate()
    with pytest.raises(NotFound):
        world.request(learner, acting_user=world.learner().user)
    with pytest.raises(NotFound):
        world.request(learner, acting_user=world.officer())


def test_a_college_that_keeps_its_own_key_takes_no_requests(world: World) -> None:
    learner = world.graduate()
    Stream.objects.filter(institution=world.college.institution).update(active=False)
    institutions.add_stream(
        institution=world.college.institution,
        name="own.example/2026",
        mode="own",
        acting_user=None,
    )
    with pytest.raises(OwnKeyStream):
        world.request(learner)


def test_a_suspended_college_takes_no_requests(world: World) -> None:
    learner = world.graduate()
    Institution.objects.filter(pk=world.college.institution.pk).update(status="suspended")
    world.programme.refresh_from_db()
    with pytest.raises(InstitutionSuspended):
        world.request(learner)


# -- the boundary day of an age -------------------------------------------------------------------
def test_a_certificate_counts_until_the_day_five_years_after(bare_world: World) -> None:
    """Law of filing: on the day itself it still applies, the day after it does not."""
    world = bare_world
    world.publish()
    learner = world.learner()
    world.record_certificate(learner, completed_on=date(2022, 2, 28))
    for day, applies in ((date(2027, 2, 28), True), (date(2027, 3, 1), False)):
        with time_machine.travel(f"{day.isoformat()}T12:00:00+08:00", tick=False):
            form = requests.prepare(learner=learner, programme=world.programme)
            assert bool(form.lines) is applies, day

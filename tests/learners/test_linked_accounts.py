"""A learner with several accounts holds an outcome once, whoever records it and into which account."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from creditbank.ledger import linked, log, operations, queries
from creditbank.ledger.audit import audit
from learners import operations as learners
from learners.models import Learner
from tests.api.clients import Program, problem, program_of
from tests.api.test_own_key_path import send
from tests.learners.people import register
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream
from tests.recording.cast import School, make_school, somebody


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=2)


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


@pytest.fixture
def program(college: College, settings: Any) -> Program:
    settings.STAFF_SECOND_FACTOR = False
    return program_of(college.institution)


def with_two_accounts() -> tuple[Learner, int, int]:
    learner = register()
    second = operations.open_account()
    learners.link_account(learner=learner, account=second)
    return learner, int(learner.account_id), second


def test_a_hosted_submission_cannot_award_in_the_other_account(college: College) -> None:
    _, first, second = with_two_accounts()
    college.record(college.award(first))
    stranger = operations.open_account()
    with pytest.raises(log.DuplicateOutcome) as refused:
        college.record(college.award(stranger), college.award(second))
    assert refused.value.facts["rows"] == [2]
    assert queries.balance([first, second, stranger]).awarded == Decimal("3.00")
    college.record(college.award(second, item_row=college.items[1]))


def test_an_own_key_submission_is_told_all_its_rows(
    college: College, own: OwnStream, program: Program
) -> None:
    _, first, second = with_two_accounts()
    college.record(college.award(first), college.award(second, item_row=college.items[1]))
    data = own.prepare(
        college.award(second),
        college.award(operations.open_account()),
        college.award(first, item_row=college.items[1]),
    )
    body = problem(send(program, own.name, data), 409, "duplicate-outcome")
    assert body["facts"]["rows"] == [1, 3]
    assert queries.balance([first, second]).awarded == Decimal("6.00")


def test_two_accounts_in_one_submission_hold_it_once(college: College, own: OwnStream) -> None:
    _, first, second = with_two_accounts()
    with pytest.raises(log.DuplicateOutcome) as refused:
        own.submit(own.prepare(college.award(first), college.award(second)))
    assert refused.value.facts["rows"] == [2]


def test_what_was_reversed_in_one_account_can_be_entered_in_the_other(college: College) -> None:
    _, first, second = with_two_accounts()
    receipt = college.record(college.award(first))
    operations.reverse_entry(index=receipt.first_index, reason="误记")
    college.record(college.award(second))
    with pytest.raises(log.DuplicateOutcome):
        college.record(college.award(first, generation=2))
    assert queries.balance([first, second]).available == Decimal("3.00")
    assert audit().findings == []


def test_form_and_file_leave_out_what_any_account_holds(bank: Any) -> None:
    school: School = make_school()
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    second = operations.open_account()
    learners.link_account(learner=learner, account=second)
    college = College(school.institution, school.stream.name, school.items)
    receipt = college.record(college.award(second))
    from creditbank.clock import today
    from creditbank.recording.checks import check_rows

    checked = check_rows(
        school.institution,
        [school.row(document=document, grade="良好")],
        today(),
        stream=school.stream.name,
    )
    assert [one.index for one in checked.unchanged] == [receipt.first_index]
    assert [one.account for one in checked.unchanged] == [second]


def test_accounts_that_hold_one_outcome_are_not_linked(college: College) -> None:
    learner = register()
    second = operations.open_account()
    receipt = college.record(college.award(int(learner.account_id)), college.award(second))
    with pytest.raises(learners.AccountsOverlap) as refused:
        learners.link_account(learner=learner, account=second)
    assert refused.value.facts["indexes"] == [receipt.first_index, receipt.first_index + 1]
    operations.reverse_entry(index=receipt.first_index + 1, reason="重复记录")
    learners.link_account(learner=learner, account=second)
    learners.link_account(learner=learner, account=second)
    with pytest.raises(log.DuplicateOutcome):
        college.record(college.award(second, generation=2))


def test_a_link_and_an_award_at_one_moment_do_not_pass_each_other(college: College) -> None:
    """Whoever has the head first wins: the award waits for the link, and then sees it."""
    learner = register()
    first, second = int(learner.account_id), operations.open_account()
    college.record(college.award(first))
    refused: list[object] = []
    begun = threading.Event()

    def award() -> None:
        try:
            begun.set()
            college.record(college.award(second))
        except log.DuplicateOutcome as error:
            refused.append(error.facts["rows"])
        finally:
            connections.close_all()

    thread = threading.Thread(target=award)
    with transaction.atomic():
        linked.hold_appends()
        thread.start()
        begun.wait(10)
        learners.link_account(learner=learner, account=second)
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(30)
    assert refused == [[1]]


def test_a_forgotten_learner_s_links_stop_nobody(college: College) -> None:
    learner, first, second = with_two_accounts()
    college.record(college.award(first), college.award(second, item_row=college.items[1]))
    learners.forget_learner(learner=learner)
    college.record(college.award(operations.open_account()))


def queries_to_record(college: College, count: int) -> int:
    accounts = operations.open_accounts(count)
    awards = [college.award(account) for account in accounts]
    with CaptureQueriesContext(connection) as captured:
        college.record(*awards)
    return len(captured)


def test_people_with_one_account_cost_no_question_each(college: College) -> None:
    with_two_accounts()
    queries_to_record(college, 1)
    assert queries_to_record(college, 200) == queries_to_record(college, 1)


def test_opening_accounts_changes_no_link(college: College) -> None:
    def version() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT n FROM learners_linkage")
            return int(cursor.fetchone()[0])

    before = version()
    register()
    register()
    assert version() == before
    with_two_accounts()
    assert version() == before + 1

"""What the checks and the lock refuse, the audit finds, should it ever have been entered.

The entries here are numbered, signed and placed as they should be, past the
checks: as by an operator who holds the keys, or a faulty release. So nothing but
the invariant in question is wrong, and the audit names the index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import psycopg
import pytest

from creditbank.ledger import (
    learnerkeys,
    log,
    operations,
    queries,
    recognitions,
    sealing,
    submissions,
)
from creditbank.ledger.audit import Audit, audit
from creditbank.ledger.auditing.findings import Finding
from creditbank.ledger.log import Batch, Receipt
from creditbank.ledger.statements import (
    CreditConsumed,
    EntryReversed,
    Statement,
)
from creditbank.proofs.manifests import Manifest
from learners.models import Learner, LearnerAccount
from tests.conftest import Database
from tests.learners.people import register
from tests.ledger.cast import College, make_college, published
from tests.ledger.recognising import consumed, recognise, recognised, rule, withdrawal


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


def enter(stream: str, *statements: Statement) -> Receipt:
    """Enter statements as they stand, past everything that would refuse them."""
    openings = [statement.opening() for statement in statements]
    batch = Batch(
        stream=stream,
        openings=openings,
        opened=submissions.read(openings),
        accounts=[statement.account for statement in statements],
        sign=_sign,
    )
    sealing.seal(batch, sealing.keys_for([batch]))
    batch.watched.clear()
    (receipt,) = log.append([batch])
    return published(receipt)


def _sign(manifest: Manifest) -> bytes:
    return operations.signer().manifest(manifest)


def found(*, processes: int = 1) -> set[tuple[str, int | None]]:
    """Audit; return what was found, and where."""
    report = Audit(processes=processes, worth_sharing=0).run()
    return {(finding.code, finding.index) for finding in report.findings}


def an_award(awarding: College, account: int, at: int = 0) -> int:
    return awarding.record(awarding.award(account, item_row=awarding.items[at])).first_index


def test_what_is_entered_here_is_wrong_in_nothing_else(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    said = recognised(college, account)
    enter(college.hosted, said, consumed(award, said.decision))
    assert found() == set()


# -- decisions --------------------------------------------------------------------------------
def test_a_use_without_its_recognition(awarding: College, college: College) -> None:
    account = operations.open_account()
    receipt = enter(college.hosted, consumed(an_award(awarding, account), "认1号"))
    assert found() == {("use-alone", receipt.first_index)}


def test_a_use_under_another_decision_than_the_one_beside_it(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    said = recognised(college, account, "认1号")
    receipt = enter(college.hosted, said, consumed(an_award(awarding, account), "认2号"))
    assert found() == {
        ("recognition-alone", receipt.index_of(0)),
        ("use-alone", receipt.index_of(1)),
    }


def test_a_recognition_that_uses_nothing(awarding: College, college: College) -> None:
    receipt = enter(college.hosted, recognised(college, operations.open_account()))
    assert found() == {("recognition-alone", receipt.first_index)}


def test_a_decision_torn_into_two_submissions(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    said = recognised(college, account)
    first = enter(college.hosted, said)
    second = enter(college.hosted, consumed(award, said.decision))
    for processes in (1, 3):
        assert found(processes=processes) == {
            ("recognition-alone", first.first_index),
            ("use-alone", second.first_index),
        }


def test_a_decision_that_recognises_twice(awarding: College, college: College) -> None:
    one, other = operations.open_accounts(2)
    award = an_award(awarding, one)
    said = recognised(college, one)
    receipt = enter(
        college.hosted, said, replace(said, account=other), consumed(award, said.decision)
    )
    assert found() == {("decision-twice", receipt.index_of(1))}


def test_a_use_of_another_persons_award(awarding: College, college: College) -> None:
    mine, theirs = operations.open_accounts(2)
    award = an_award(awarding, theirs)
    said = recognised(college, mine)
    receipt = enter(college.hosted, said, consumed(award, said.decision))
    assert found() == {("use-of-another", receipt.index_of(1))}
    learner = register()
    for account in (mine, theirs):
        LearnerAccount.objects.create(account_id=account, learner=learner)
    assert found() == set()


# -- uses -------------------------------------------------------------------------------------
def test_an_award_used_twice(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    recognise(college, account, award)
    operations.record_credits(
        stream=awarding.hosted,
        awards=[awarding.award(account, item_row=awarding.items[1])],
        idempotency_key="so that the balance bears it",
        institution_id=awarding.institution.pk,
    )
    said = recognised(college, account)
    receipt = enter(college.hosted, said, consumed(award, said.decision))
    assert found() == {
        ("acted-on-twice", receipt.index_of(1)),
        ("generation", receipt.index_of(1)),
    }


def test_a_use_of_an_undone_award(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    an_award(awarding, account, 1)
    operations.reverse_entry(index=award, reason="r")
    said = recognised(college, account)
    receipt = enter(college.hosted, said, consumed(award, said.decision))
    assert found() == {("acted-on-twice", receipt.index_of(1))}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda use: replace(use, quantity_consumed=200), "acts-on-wrong"),
        (lambda use: replace(use, generation=2), "generation"),
        (lambda use: replace(use, leaf=bytes(32)), "acts-on-unknown"),
    ],
    ids=["part of it", "a generation left out", "of nothing"],
)
def test_a_use_that_fits_no_award(
    awarding: College,
    college: College,
    change: Callable[[CreditConsumed], CreditConsumed],
    code: str,
) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    said = recognised(college, account)
    receipt = enter(college.hosted, said, change(consumed(award, said.decision)))
    assert found() == {(code, receipt.index_of(1))}


def test_an_award_reversed_while_it_is_used(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    an_award(awarding, account, 1)
    recognise(college, account, award)
    view = queries.entry(award)
    receipt = enter(
        awarding.hosted,
        EntryReversed(
            account=account, leaf=view.leaf_hash, quantity_undone=view.quantity, reason="r"
        ),
    )
    assert found() == {("acted-on-twice", receipt.first_index)}


def test_an_entry_that_goes_by_another_name_than_what_it_acts_on(
    awarding: College, college: College
) -> None:
    """Whoever looks for the use or the reversal of an award looks by its leaf."""
    account = operations.open_account()
    award = an_award(awarding, account)

    class Renamed(CreditConsumed):
        """A use that goes by another name."""

        @property
        def u(self) -> str:
            return "something else/1"

    said = recognised(college, account)
    use = consumed(award, said.decision)
    renamed = Renamed(**{one.name: getattr(use, one.name) for one in fields(use)})
    receipt = enter(college.hosted, said, renamed)
    assert found() == {("opening-unique", receipt.index_of(1))}


# -- reversals --------------------------------------------------------------------------------
def test_a_recognition_reversed_while_something_is_used_under_it(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    entered = recognise(college, account, an_award(awarding, account))
    *_, reversal = recognitions.recognition(entered.first_index).undoing(reason="r")
    receipt = enter(college.hosted, reversal)
    for processes in (1, 3):
        assert found(processes=processes) == {("use-outlives-decision", receipt.first_index)}


def test_a_use_released_after_its_recognition_was_reversed(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    entered = recognise(college, account, an_award(awarding, account))
    release, reversal = recognitions.recognition(entered.first_index).undoing(reason="r")
    receipt = enter(college.hosted, reversal, release)
    assert found() == {("use-outlives-decision", receipt.first_index)}


def test_an_award_that_its_user_sets_free_and_keeps_the_credits(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    entered = recognise(college, account, an_award(awarding, account))
    release, _ = recognitions.recognition(entered.first_index).undoing(reason="r")
    receipt = enter(college.hosted, release)
    assert found() == {("release-alone", receipt.first_index)}


def test_another_institution_that_takes_back_what_is_not_its_own(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = an_award(awarding, account)
    entered = recognise(college, account, an_award(awarding, account, 1))
    view = queries.entry(award)
    taken = enter(
        college.hosted,
        EntryReversed(
            account=account, leaf=view.leaf_hash, quantity_undone=view.quantity, reason="r"
        ),
    )
    undone = enter(
        awarding.hosted, *recognitions.recognition(entered.first_index).undoing(reason="r")
    )
    assert found() == {
        ("acts-on-other-stream", taken.first_index),
        ("acts-on-other-stream", undone.index_of(0)),
        ("acts-on-other-stream", undone.index_of(1)),
    }


# -- persons ----------------------------------------------------------------------------------
def test_one_outcome_in_two_accounts_of_one_person_used_twice(
    awarding: College, college: College
) -> None:
    learner: Learner = register()
    second = operations.open_account()
    first = an_award(awarding, int(learner.account_id))
    receipt = awarding.record(awarding.award(second))
    recognise(college, int(learner.account_id), first)
    recognise(make_college(courses=1), second, receipt.first_index)
    assert found() == set()
    LearnerAccount.objects.create(account_id=second, learner=learner)
    assert found() == {("outcome-held-twice", receipt.first_index)}


# -- rules ------------------------------------------------------------------------------------
def test_a_withdrawal_of_what_was_never_published(college: College) -> None:
    receipt = enter(college.hosted, withdrawal(rule(college.institution), bytes(32)))
    assert found() == {("acts-on-unknown", receipt.first_index)}


# -- what stands in the rows ------------------------------------------------------------------
def _spoil(db: Database, statement: str) -> list[Finding]:
    """Change rows as a superuser with the triggers off; return what the audit then finds."""
    with psycopg.connect(db.superuser_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("ledger_entry", "ledger_manifest"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        connection.execute(statement.encode())
    return [finding for finding in audit().findings if finding.code != "unguarded"]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ("DELETE FROM ledger_entry WHERE idx = {use}", {"entry-missing", "recognition-alone"}),
        ("DELETE FROM ledger_entry WHERE idx = {decision}", {"entry-missing"}),
        ("UPDATE ledger_entry SET qty = qty + 1 WHERE idx = {use}", {"entry-columns"}),
        ("UPDATE ledger_entry SET qty = qty + 1 WHERE idx = {decision}", {"entry-columns"}),
        ("UPDATE ledger_entry SET kind = 2 WHERE idx = {use}", {"entry-columns"}),
        ("UPDATE ledger_entry SET acct = acct + 1 WHERE idx = {use}", {"entry-account"}),
        ("UPDATE ledger_entry SET dkey = dkey + 1 WHERE idx = {use}", {"entry-digest-key"}),
        (
            (
                "UPDATE ledger_entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'),"
                " '\"q\":-300', '\"q\":-200'), 'UTF8') WHERE idx = {use}"
            ),
            {"entry-columns", "opening-columns", "acts-on-wrong", "manifest-root"},
        ),
        (
            (
                "UPDATE ledger_entry SET opening = set_byte(opening, 40, get_byte(opening, 40) # 1)"
                " WHERE idx = {use}"
            ),
            {"opening-sealed"},
        ),
        (
            (
                "UPDATE ledger_entry a SET opening = b.opening FROM ledger_entry b"
                " WHERE a.idx = {use} AND b.idx = {decision}"
            ),
            {"opening-malformed", "commitment", "opening-columns"},
        ),
    ],
)
def test_a_change_of_a_decision_in_the_rows_is_found_at_its_place(
    awarding: College, college: College, db: Database, change: str, codes: set[str]
) -> None:
    account = operations.open_account()
    entered = published(recognise(college, account, an_award(awarding, account)))
    assert audit().findings == []
    decision, use = entered.index_of(0), entered.index_of(1)
    learnerkeys.epoch()
    findings = _spoil(db, change.format(use=use, decision=decision))
    assert codes & {finding.code for finding in findings}
    indexes = [finding.index for finding in findings if finding.index is not None]
    assert min(indexes) in (entered.manifest_index, decision, use)


def test_a_forgotten_persons_decisions_are_not_held_against_anybody(
    awarding: College, college: College
) -> None:
    gone, stays = operations.open_accounts(2)
    for account in (gone, stays):
        entered = recognise(college, account, an_award(awarding, account))
        operations.reverse_recognition(index=entered.first_index, reason="r")
        recognise(college, account, an_award(awarding, account, 1))
    learnerkeys.forget([gone])
    report = audit()
    assert report.findings == []
    assert report.forgotten == 8

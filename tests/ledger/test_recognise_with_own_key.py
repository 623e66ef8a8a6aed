"""A college that signs itself recognises with its own program, under the same rules."""

from __future__ import annotations

import base64
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from creditbank.ledger import log, operations, queries, recognitions, submissions
from creditbank.ledger.audit import audit
from creditbank.proofs import commitments, notes
from creditbank.proofs.manifests import Manifest
from tests.api.clients import problem, program_of
from tests.api.test_own_key_path import send
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream, published
from tests.ledger.recognising import consumed, recognised, rule, verified


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


def signed(own: OwnStream, openings: list[bytes]) -> bytes:
    """Sign openings properly, as a hostile program would: only what they say is wrong."""
    leaves = submissions.derive(own.name, own.first, openings)
    manifest = Manifest(
        stream=own.name,
        first=own.first,
        count=len(openings),
        root=leaves.root,
        previous=own.previous,
    )
    signer = notes.NoteSigner(name=own.name, type=notes.ED25519, signer=own.key)
    return submissions.encode(notes.sign_note(manifest.text(), signer).encode(), openings)


def test_a_decision_signed_by_the_college_itself_is_entered_and_proved(
    awarding: College, college: College, own: OwnStream
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)
    receipt = published(own.submit(own.prepare(said, consumed(award, said.decision))))
    assert verified(receipt.index_of(0)).leaf.stream == own.name
    (found,) = recognitions.recognitions([account])
    assert (found.decision, found.stream, len(found.uses)) == (said.decision, own.name, 1)
    published(own.submit(own.prepare(*found.undoing(reason="决定有误"))))
    assert queries.balance([account]).available == 3
    assert audit().findings == []


def test_one_submission_may_hold_many_decisions(
    awarding: College, college: College, own: OwnStream
) -> None:
    accounts = operations.open_accounts(40)
    receipt = awarding.record(*(awarding.award(account) for account in accounts))
    statements: list[Any] = []
    for position, account in enumerate(accounts):
        said = recognised(college, account)
        statements += [said, consumed(receipt.index_of(position), said.decision)]
    published(own.submit(own.prepare(*statements)))
    assert queries.balance(accounts).used == 120
    assert queries.balance(accounts).converted == Decimal("340.00")
    assert audit().findings == []


def test_what_the_bank_does_for_a_hosted_college_it_does_not_sign_for_this_one(
    awarding: College, college: College, own: OwnStream
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)
    receipt = own.submit(own.prepare(said, consumed(award, said.decision)))
    with pytest.raises(operations.StreamMode):
        operations.reverse_recognition(index=receipt.first_index, reason="r")
    with pytest.raises(operations.StreamMode):
        operations.publish_document(stream=own.name, statement=rule(college.institution))
    published(own.submit(own.prepare(rule(college.institution))))
    assert audit().findings == []


def test_a_refused_decision_is_told_to_the_program_with_every_row(
    awarding: College, college: College, own: OwnStream, settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = False
    mine, theirs = operations.open_accounts(2)
    receipt = awarding.record(awarding.award(mine), awarding.award(theirs))
    said = recognised(college, mine)
    own.submit(own.prepare(said, consumed(receipt.index_of(0), said.decision)))
    other = recognised(college, mine)
    data = own.prepare(
        other,
        consumed(receipt.index_of(0), other.decision),
        consumed(receipt.index_of(1), other.decision),
    )
    body = problem(send(program_of(college.institution), own.name, data), 409, "acts-on-invalid")
    assert [(one["row"], one["code"], one["field"]) for one in body["problems"]] == [
        (2, "in-use", "leaf"),
        (3, "other-person", "a"),
    ]


LEAF = base64.b64encode(bytes(32)).decode()
CHANGES: dict[str, tuple[int, str, dict[str, Any], str]] = {
    "a name in the decision": (0, "core", {"NAME": "x"}, "unknown-member"),
    "a grade in the decision": (0, "result", {"grade": "A"}, "unknown-member"),
    "a certificate in the use": (1, "reference", {"certificate": "N1"}, "unknown-member"),
    "a name of the holder": (1, "holder", {"name": "x"}, "unknown-member"),
    "a leaf in the decision": (0, "reference", {"leaf": LEAF}, "unknown-member"),
    "no decision in the use": (1, "core", {"decision": None}, "value-missing"),
    "an empty programme": (0, "core", {"programme": ""}, "text-invalid"),
    "a number for a programme": (0, "core", {"programme": 7}, "value-type"),
    "a version that is text": (0, "core", {"pv": "2"}, "value-type"),
    "version 0": (0, "core", {"pv": 0}, "value-type"),
    "no date": (0, "core", {"decided_on": "20260630"}, "date-invalid"),
    "no digest": (0, "core", {"digest": "AAAA"}, "digest-invalid"),
    "another spelling of a digest": (0, "core", {"digest": "A" * 42 + "B="}, "digest-invalid"),
    "more than a programme": (0, "core", {"q": 20_001}, "credits-out-of-range"),
    "fewer than none": (0, "core", {"q": -1}, "credits-out-of-range"),
}


def changed(opening: bytes, part: str, changes: dict[str, Any]) -> bytes:
    """Write an opening anew with members of a part changed; None takes one out."""
    members = {
        name: dict(said)
        for name, said in zip(commitments.PARTS, commitments.read_opening(opening)[1:], strict=True)
    }
    merged = members[part] | changes
    members[part] = {name: value for name, value in merged.items() if value is not None}
    return commitments.join(**members)


@pytest.mark.parametrize("name", CHANGES)
def test_a_decision_holds_what_was_agreed_on_and_nothing_else(
    awarding: College, college: College, own: OwnStream, name: str
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)
    openings = [said.opening(), consumed(award, said.decision).opening()]
    at, part, changes, code = CHANGES[name]
    openings[at] = changed(openings[at], part, changes)
    size = operations.head_size()
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.record_submission(data=signed(own, openings))
    assert (at + 1, next(iter(changes)), code) in {
        (one.row, one.field, one.code) for one in refused.value.problems
    }
    assert operations.head_size() == size


@pytest.mark.parametrize(
    ("part", "changes", "code"),
    [
        ("holder", {"approved_by": "p-1"}, "unknown-member"),
        ("core", {"name": "x"}, "unknown-member"),
        ("core", {"q": 5}, "quantity"),
        ("core", {"schema": "llcb/rule/v9"}, "schema-unknown"),
        ("core", {"until": "2026-08-31"}, "dates-out-of-order"),
        ("core", {"reason": "x"}, "unknown-member"),
    ],
)
def test_a_publication_is_open_so_it_holds_no_more_than_was_agreed_on(
    college: College, own: OwnStream, part: str, changes: dict[str, Any], code: str
) -> None:
    opening = changed(rule(college.institution).opening(), part, changes)
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.record_submission(data=signed(own, [opening]))
    assert (next(iter(changes)), code) in {(one.field, one.code) for one in refused.value.problems}


def test_an_award_acts_on_nothing(awarding: College) -> None:
    own = make_own_stream(awarding)
    award = awarding.award(operations.open_account())
    opening = changed(award.opening(), "reference", {"leaf": LEAF})
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.record_submission(data=signed(own, [opening]))
    assert [(one.field, one.code) for one in refused.value.problems] == [("leaf", "unknown-member")]


def test_a_decision_that_was_entered_is_not_entered_under_another_number_of_the_stream(
    awarding: College, college: College, own: OwnStream
) -> None:
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    said = recognised(college, account)
    own.submit(own.prepare(said, consumed(receipt.index_of(0), said.decision)))
    with pytest.raises(log.DuplicateOutcome) as refused:
        own.submit(
            own.prepare(
                replace(said, credits=Decimal(1)), consumed(receipt.index_of(1), said.decision)
            )
        )
    assert refused.value.facts["rows"] == [1]

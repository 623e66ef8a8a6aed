"""Submissions that an institution prepares and signs with its own key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditbank.ledger import log, operations, queries, submissions
from creditbank.ledger.audit import audit
from creditbank.ledger.models import ForkEvidence
from creditbank.proofs import merkle, signatures
from creditbank.proofs.manifests import Manifest
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream, published


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


def test_a_signed_submission_is_entered_and_its_proofs_verify(
    college: College, own: OwnStream
) -> None:
    accounts = operations.open_accounts(5)
    receipt = published(own.submit(own.prepare(*(college.award(a) for a in accounts))))
    proof = queries.proof(receipt.index_of(3))
    assert proof.leaf == queries.entry(receipt.index_of(3)).leaf
    assert audit().findings == []


def test_the_same_submission_sent_again_returns_the_first_receipt(
    college: College, own: OwnStream
) -> None:
    data = own.prepare(college.award(operations.open_account()))
    assert operations.record_submission(data=data) == operations.record_submission(data=data)


def test_other_content_under_a_used_number_is_a_fork_and_both_manifests_are_kept(
    college: College, own: OwnStream
) -> None:
    one, other = operations.open_accounts(2)
    first, second = own.prepare(college.award(one)), own.prepare(college.award(other))
    operations.record_submission(data=first)
    with pytest.raises(log.StreamForked):
        operations.record_submission(data=second)
    (evidence,) = ForkEvidence.objects.all()
    assert bytes(evidence.note) == submissions.parse(second).note
    assert audit().findings == []


def test_a_gap_is_refused_and_told_the_next_number(college: College, own: OwnStream) -> None:
    with pytest.raises(log.StreamGap) as refused:
        own.submit(own.prepare(college.award(operations.open_account()), first=7))
    assert refused.value.facts["next_seq"] == 0


def test_a_stale_previous_root_is_refused(college: College, own: OwnStream) -> None:
    one, other = operations.open_accounts(2)
    own.submit(own.prepare(college.award(one)))
    with pytest.raises(log.StalePreviousRoot):
        own.submit(own.prepare(college.award(other), previous=bytes(32)))


def test_another_key_is_refused(college: College, own: OwnStream) -> None:
    with pytest.raises(operations.KeyNotInForce):
        own.submit(
            own.prepare(
                college.award(operations.open_account()), signer=signatures.generate("Ed25519")
            )
        )


def test_a_retired_key_is_refused_and_what_it_signed_before_stays_good(
    college: College, own: OwnStream
) -> None:
    one, other = operations.open_accounts(2)
    receipt = published(own.submit(own.prepare(college.award(one))))
    operations.retire_key(stream=own.name, public=own.key.public)
    with pytest.raises(operations.KeyNotInForce):
        own.submit(own.prepare(college.award(other)))
    assert queries.proof(receipt.first_index)
    assert audit().findings == []


def test_a_key_without_proof_of_possession_is_refused(college: College) -> None:
    from creditbank.institutions import operations as institutions

    name = f"{college.institution.slug}.example/stolen"
    institutions.add_stream(
        institution=college.institution, name=name, mode="own", acting_user=None
    )
    key = signatures.generate("Ed25519")
    with pytest.raises(operations.KeyNotInForce):
        operations.add_key(
            stream=name,
            algorithm="Ed25519",
            public=key.public,
            possession=key.sign(b"something else"),
        )


def test_a_hosted_stream_takes_no_signed_submission_and_an_own_one_no_form(
    college: College, own: OwnStream
) -> None:
    award = college.award(operations.open_account())
    with pytest.raises(operations.StreamMode):
        operations.record_submission(data=own.prepare(award, stream=college.hosted))
    with pytest.raises(operations.StreamMode):
        operations.record_credits(
            stream=own.name,
            awards=[award],
            idempotency_key="k",
            institution_id=college.institution.pk,
        )


def test_a_changed_opening_does_not_lead_to_the_signed_root(
    college: College, own: OwnStream
) -> None:
    data = own.prepare(college.award(operations.open_account()))
    changed = data.replace(b'"score":"86"', b'"score":"88"')
    assert changed != data
    with pytest.raises(submissions.SubmissionMalformed) as refused:
        operations.record_submission(data=changed)
    assert refused.value.problems[0].code == "manifest-root"


def _resigned(own: OwnStream, openings: list[bytes]) -> bytes:
    """Sign whatever openings, as a faulty or hostile program would."""
    from creditbank.proofs import notes

    leaves = [merkle.leaf_hash(opening) for opening in openings]
    manifest = Manifest(
        stream=own.name,
        first=own.first,
        count=len(openings),
        root=merkle.root_of(leaves),
        previous=own.previous,
    )
    note = notes.sign_note(
        manifest.text(), notes.NoteSigner(name=own.name, type=notes.ED25519, signer=own.key)
    )
    return submissions.encode(note.encode(), openings)


@pytest.mark.parametrize(
    "damage",
    [
        lambda opening: opening.replace(b'"q":300', b'"q":300,"q":30000'),
        lambda opening: opening.replace(b'"q":300', b'"q":3e2'),
        lambda opening: opening.replace(b'"q":300', b'"q":NaN'),
        lambda opening: opening.replace(b'"q":300', b'"q":' + b"[" * 100_000 + b"]" * 100_000),
        lambda opening: opening.replace(b'"q":300', b'"q": 300'),
        lambda opening: opening.replace(b'"s":"', b'"s":"Z'),
        lambda opening: opening.split(b"\t")[0],
        lambda opening: b"\xff\xfe" + opening,
        lambda opening: b"",
    ],
    ids=["duplicate", "float", "nan", "deep", "blank", "salt", "one-part", "not-utf8", "empty"],
)
def test_an_opening_that_is_not_canonical_is_refused_by_row(
    college: College, own: OwnStream, damage: object
) -> None:
    good = [college.award(account).opening() for account in operations.open_accounts(2)]
    assert callable(damage)
    bad = damage(good[1])
    assert bad != good[1]
    size = operations.head_size()
    with pytest.raises(submissions.SubmissionMalformed) as refused:
        operations.record_submission(data=_resigned(own, [good[0], bad]))
    assert refused.value.problems[0].row == 2
    assert operations.head_size() == size


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 a spreadsheet",
        b"llcb/submission/v1 99999\n",
        b"llcb/submission/v1 -5\nxxxxx",
        b"llcb/submission/v1 3\nabc",
        b"%PDF-1.7\n",
        b"{" * 100_000,
    ],
)
def test_a_file_of_another_kind_is_refused(own: OwnStream, data: bytes) -> None:
    with pytest.raises(submissions.SubmissionMalformed):
        operations.record_submission(data=data)


def test_more_entries_than_a_submission_may_hold_are_refused(
    college: College, own: OwnStream
) -> None:
    data = own.prepare(college.award(operations.open_account()))
    received = submissions.parse(data)
    note = received.note.replace(b"\n0 1\n", b"\n0 10001\n")
    assert note != received.note
    big = submissions.encode(note, received.openings)
    with pytest.raises(submissions.SubmissionTooLarge):
        operations.record_submission(data=big)


@pytest.mark.parametrize(
    "u", ["{body}|{item}|twice/1", "{body}|{item}/1", "{body}|OTHER|/1", "nobody|{item}|/1"]
)
def test_a_course_is_unique_by_body_and_item_and_goes_by_no_other_name(
    college: College, own: OwnStream, u: str
) -> None:
    award = college.award(operations.open_account())
    names = {"body": award.outcome.body, "item": award.outcome.item}
    other = replace(award, reference=replace(award.reference, u=u.format(**names)))
    with pytest.raises(operations.SubmissionRefused) as refused:
        own.submit(own.prepare(other))
    [problem] = refused.value.problems
    assert (problem.code, problem.row, problem.field) == ("u-mismatch", 1, "u")
    assert problem.expected == f"{names['body']}|{names['item']}|/1"

"""An opening holds what was agreed on and nothing else, whoever's program wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.ledger import operations, shapes
from creditbank.proofs import commitments
from tests.api.clients import problem, program_of
from tests.api.test_own_key_path import send
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream

CORE: dict[str, Any] = {
    "k": "award", "q": 300, "kind": "course", "item": "C1", "iv": 1, "title": "数据结构",
    "body": "B", "body_name": "学院", "completed_on": "2026-06-17",
}  # fmt: skip
RESULT = {"grade": "良好", "hours": "48", "score": "86"}
REFERENCE = {"u": "B|C1|/1", "certificate": "N1", "batch": "b", "occurrence": "t"}
HOLDER = {"a": "1234-5678-9ABC", "prepared_by": "p-1", "approved_by": "p-2"}


def opening(**changes: Any) -> bytes:
    parts: dict[str, dict[str, Any]] = {
        "core": CORE, "result": RESULT, "reference": REFERENCE, "holder": HOLDER,
    }  # fmt: skip
    for name, change in changes.items():
        merged = parts[name] | change
        parts[name] = {key: value for key, value in merged.items() if value is not None}
    return commitments.join(**parts)


def found(**changes: Any) -> list[tuple[int | None, str | None, str, str | None]]:
    return [
        (one.row, one.field, one.code, one.value)
        for one in shapes.problems(commitments.read_openings([opening(), opening(**changes)]))
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"result": {"grade": None, "hours": None, "score": None}},
        {"result": {"grade": 'A "plus" \\ minus', "score": None}},
        {"reference": {"certificate": None, "batch": None}},
        {"holder": {"prepared_by": None, "approved_by": None}},
        {"core": {"valid_until": "2026-06-17"}},
        {"result": {"grade": "欧阳𬎆 𠮷 김"}},
        {"result": {"grade": "x" * 300, "hours": "y" * 300, "score": "字" * 300}},
    ],
)
def test_what_was_agreed_on_fits(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"result": {"name": "李示例"}}, "name", "unknown-member"),
        ({"holder": {"name": "李示例"}}, "name", "unknown-member"),
        ({"reference": {"number": "229999199001010413"}}, "number", "unknown-member"),
        ({"result": {"grade": 5}}, "grade", "value-type"),
        ({"reference": {"certificate": 5}}, "certificate", "value-type"),
        ({"holder": {"approved_by": 5}}, "approved_by", "value-type"),
        ({"result": {"grade": "x" * 301}}, "grade", "text-invalid"),
        ({"result": {"grade": "a\nb"}}, "grade", "text-invalid"),
        ({"result": {"grade": "a\x00b"}}, "grade", "text-invalid"),
        ({"result": {"score": "\u202e86"}}, "score", "text-invalid"),
        ({"reference": {"occurrence": "\u2066x"}}, "occurrence", "text-invalid"),
        ({"core": {"valid_until": "banana"}}, "valid_until", "date-invalid"),
        ({"core": {"valid_until": "20270101"}}, "valid_until", "date-invalid"),
        ({"core": {"valid_until": 20270101}}, "valid_until", "value-type"),
        ({"core": {"valid_until": "2026-06-16"}}, "valid_until", "dates-out-of-order"),
        ({"core": {"reason": 5}}, "reason", "value-type"),
        ({"core": {"reason": "x" * 301}}, "reason", "text-invalid"),
    ],
)
def test_what_was_not_is_named_with_its_row(changes: dict[str, Any], field: str, code: str) -> None:
    assert (2, field, code) in [one[:3] for one in found(**changes)]


def test_a_submission_with_such_parts_is_refused_with_all_of_them(bank: Any, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    college: College = make_college(courses=1)
    own: OwnStream = make_own_stream(college)
    good = [college.award(account).opening() for account in operations.open_accounts(3)]
    core, result, reference, holder = good[0].split(b"\t")
    named = b"\t".join([core, result, reference, holder.replace(b'{"a"', b'{"A":"x","a"')])
    spoilt = good[2].replace(b'"score":"86"', b'"score":86')
    size = operations.head_size()
    answer = send(
        program_of(college.institution), own.name, _resigned_leaves(own, [named, good[1], spoilt])
    )
    body = problem(answer, 422, "submission-refused")
    assert {(one["row"], one["field"], one["code"]) for one in body["problems"]} == {
        (1, "A", "unknown-member"),
        (3, "score", "value-type"),
    }
    assert operations.head_size() == size


def _resigned_leaves(own: OwnStream, openings: list[bytes]) -> bytes:
    """Sign openings properly, as a hostile program would: only what they say is wrong."""
    from creditbank.ledger import submissions
    from creditbank.proofs import notes
    from creditbank.proofs.manifests import Manifest

    leaves = submissions.derive(own.name, own.first, openings)
    manifest = Manifest(
        stream=own.name, first=own.first, count=len(openings), root=leaves.root,
        previous=own.previous,
    )  # fmt: skip
    signer = notes.NoteSigner(name=own.name, type=notes.ED25519, signer=own.key)
    return submissions.encode(notes.sign_note(manifest.text(), signer).encode(), openings)

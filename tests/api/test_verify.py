"""POST /api/v1/verify."""

from __future__ import annotations

from typing import Any

import pytest

from certificates import operations, queries, verification
from certificates.models import Verification
from creditbank.ledger import queries as ledger
from learners import operations as learners
from tests.api.clients import anyone, problem
from tests.certificates.holders import Holder, code_of, make_holder


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


def verify(body: Any, content_type: str = "application/json") -> Any:
    return anyone().post("/api/v1/verify", body, content_type=content_type)


def test_number_and_code_give_the_seven_checks_and_the_registers_values(holder: Holder) -> None:
    transcript = holder.issue()
    typed = {"number": transcript.number.lower(), "code": code_of(transcript)}
    answer = verify(typed)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["code"] == "V-OK"
    assert body["outcome"] == "valid"
    assert [check["number"] for check in body["checks"]] == [1, 2, 3, 4, 5, 6, 7]
    assert all(check["verdict"] == "valid" for check in body["checks"][1:6])
    assert all(
        finding["zh"] and finding["en"] for check in body["checks"] for finding in check["findings"]
    )
    assert body["headline"]["zh"] == "有效"
    assert body["next"]["zh"]
    assert body["register"]["holder_name"] == "金明·示例"
    assert len(body["register"]["lines"]) == 2
    assert verification.receipt(body["receipt"]).code == "V-OK"


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("pdf", "application/pdf"),
        ("pdf", "application/octet-stream"),
        ("json", "application/json"),
        ("json", "application/vc"),
        ("json", "application/ld+json"),
    ],
)
def test_the_file_itself_is_verified(kind: str, content_type: str, holder: Holder) -> None:
    transcript = holder.issue()
    data = queries.pdf(transcript) if kind == "pdf" else queries.json(transcript)
    body = verify(data, content_type).json()
    assert body["code"] == "V-OK", body
    assert body["number"] == transcript.number
    assert len(body["file_sha256"]) == 64


def test_an_altered_file_is_told_by_the_field_that_differs(holder: Holder) -> None:
    transcript = holder.issue()
    data = queries.json(transcript).replace("示例".encode(), "示范".encode(), 1)
    assert data != queries.json(transcript)
    body = verify(data).json()
    assert body["code"] == "V-TAMPERED", body["code"]
    assert body["differences"]
    assert body["differences"][0]["label"]["zh"]


def test_a_revoked_transcript_is_told_with_its_entry(holder: Holder) -> None:
    transcript = holder.issue()
    receipt = operations.revoke_transcript(
        transcript=transcript, reason="holder-request", acting_user=None
    )
    from tests.ledger.cast import published

    published(receipt)
    body = verify({"number": transcript.number, "code": code_of(transcript)}).json()
    assert body["code"] == "V-REVOKED"
    assert body["revocation"]["index"] == receipt.first_index


def test_a_wrong_code_and_an_unknown_number_sound_the_same(holder: Holder) -> None:
    from certificates import codes

    transcript = holder.issue()
    wrong = verify({"number": transcript.number, "code": codes.new_code()}).json()
    unknown = verify({"number": codes.new_number(), "code": codes.new_code()}).json()
    assert wrong["code"] == unknown["code"] == "V-NOTFOUND"
    assert {**wrong, "at": ""} == {**unknown, "at": ""}
    assert wrong["receipt"] is None


def test_a_slip_of_the_pen_is_named_with_its_group(db: Any) -> None:
    from certificates import codes

    number = codes.new_number()
    slip = number[:8] + ("0" if number[8] != "0" else "1") + number[9:]
    body = verify({"number": slip, "code": codes.new_code()}).json()
    assert body["code"] == "V-TYPO"
    assert body["typo"]["field"] == "number"
    assert body["typo"]["group"] in (2, 3)
    assert Verification.objects.count() == 0


def test_a_file_of_another_kind_is_told_so(bank: Any) -> None:
    ledger.wait_until_published(ledger.log_state().size, timeout=30)
    for data in (b"%PDF-1.7\nnot ours", b"PK\3\4", b"\x89PNG", b"x"):
        assert verify(data, "application/octet-stream").json()["code"] == "V-WRONGFILE"


def test_a_forgotten_holder_is_not_an_unknown_number(holder: Holder) -> None:
    transcript = holder.issue()
    code = code_of(transcript)
    learners.forget_learner(holder.learner)
    body = verify({"number": transcript.number, "code": code}).json()
    assert body["code"] == "V-FORGOTTEN"
    assert body["register"] is None
    assert "金明" not in str(body)


@pytest.mark.parametrize("body", [{}, {"number": "x"}, {"number": 1, "code": 2}, [], "x", None])
def test_a_request_that_is_neither_is_refused(body: Any, db: Any) -> None:
    import json

    problem(verify(json.dumps(body)), 422, "request-invalid")


def test_an_empty_request_is_refused(db: Any) -> None:
    problem(verify(b"", "application/pdf"), 422, "file-empty")

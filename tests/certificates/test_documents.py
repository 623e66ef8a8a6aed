"""A transcript's document says what its values say, no more, and is read back as written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates import documents
from certificates.formats import clr
from certificates.formats.transcript import (
    TranscriptData,
    TranscriptInvalid,
    TranscriptLine,
    differences,
)
from certificates.formats.vocabulary import (
    CATEGORIES,
    KINDS,
    STATES,
    achievement_type,
    outcome_kind,
)
from creditbank.institutions.kinds import Category, OutcomeKind
from creditbank.ledger.statements import Outcome, Result
from tests.certificates.bank import OUTCOMES, genuine
from tests.certificates.transcripts import outcomes, transcripts


@settings(max_examples=150, deadline=None)
@given(transcripts())
def test_a_document_is_read_back_as_the_values_it_was_made_from(data: TranscriptData) -> None:
    document = documents.decode(documents.encode(documents.build(data)))

    assert clr.read(document) == data


@settings(max_examples=60, deadline=None)
@given(transcripts(), outcomes(), st.data())
def test_another_outcome_anywhere_gives_another_digest(
    data: TranscriptData, outcome: Outcome, draw: st.DataObject
) -> None:
    place = draw.draw(st.integers(0, len(data.lines) - 1))
    lines = list(data.lines)
    lines[place] = replace(lines[place], outcome=outcome)
    changed = replace(data, lines=tuple(lines))

    same = documents.digest(documents.build(changed)) == documents.digest(documents.build(data))

    assert same == (changed == data)


@settings(max_examples=40, deadline=None)
@given(transcripts(lines=4))
def test_lines_in_another_order_give_another_digest(data: TranscriptData) -> None:
    turned = replace(data, lines=data.lines[::-1])

    same = documents.digest(documents.build(turned)) == documents.digest(documents.build(data))

    assert same == (len(data.lines) == 1)


def test_two_lines_cannot_trade_a_value_unseen() -> None:
    """In RDF two equal subjects would be one, and who earned which credits would be lost."""
    data = genuine().data
    first, second, *rest = data.lines
    traded = replace(
        data,
        lines=(
            replace(first, outcome=replace(first.outcome, credits=second.outcome.credits)),
            replace(second, outcome=replace(second.outcome, credits=first.outcome.credits)),
            *rest,
        ),
    )

    assert documents.digest(documents.build(traded)) != documents.digest(documents.build(data))


def test_the_digest_does_not_depend_on_registration_and_proof() -> None:
    made = genuine()

    assert documents.digest(made.document) == documents.prepare(made.data).digest


def test_a_document_made_step_by_step_is_the_one_made_at_once() -> None:
    made = genuine()
    proof = made.document["evidence"][0]["narrative"]
    created = made.bank.time
    registered = documents.with_registration(documents.build(made.data), proof)

    stepwise = documents.add_proof(
        registered,
        verification_method=made.bank.method,
        created=created,
        sign=made.bank.sign_hashes,
    )

    assert stepwise == documents.prepare(made.data).registered(proof).signed(
        verification_method=made.bank.method, created=created, sign=made.bank.sign_hashes
    )


FIXED = TranscriptData(
    number="8ATA-PKYT-W68X",
    holder_name="欧阳𬎆",
    holder_identity_masked="2224**********1234",
    account="4HMA-SW9N-F6YN",
    other_accounts=("SA34-47YV-JX93",),
    issued_on=date(2026, 11, 20),
    issuer_name="示例省终身教育学分银行",
    issuer_name_en="Lifelong Learning Credit Bank of Example Province",
    bank_did="did:web:bank.example",
    public_url="https://bank.example",
    verify_token="q7Rt2XbL9mWc4KfZ8hYp3N",
    lines=(
        TranscriptLine(
            index=7,
            outcome=replace(OUTCOMES[0][0], valid_until=date(2031, 1, 31)),
            result=OUTCOMES[0][1],
            state="entered",
            recorded_on=date(2026, 11, 19),
            institution_name="示例职业技术学院",
            proof="proof 1",
        ),
        TranscriptLine(
            index=14,
            outcome=OUTCOMES[1][0],
            result=OUTCOMES[1][1],
            state="used",
            recorded_on=date(2026, 11, 19),
            institution_name="示例职业技术学院",
            proof="proof 2",
            account="SA34-47YV-JX93",
        ),
    ),
)
"""Values that never change, for figures that must not."""


def test_the_shape_of_documents_already_issued_still_stands() -> None:
    """If this fails, documents in people's hands can no longer be read: add a shape, keep the old."""
    assert documents.digest(documents.build(FIXED)).hex() == GOLDEN_DIGEST


GOLDEN_DIGEST = "22177b10bd0ab8a92485325a7587af2b07424217de5c83939c587f6db18dd978"


def test_the_contexts_stand_in_the_order_the_schema_asks_for() -> None:
    document = documents.build(FIXED)

    assert document["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]


def test_the_verification_code_is_nowhere_in_the_document() -> None:
    made = genuine()

    assert made.data.code
    assert made.data.code.encode() not in made.json
    assert clr.read(made.document).code == ""


def test_credits_are_exact_numbers() -> None:
    members = documents.build(FIXED)["credentialSubject"]["verifiableCredential"]

    assert [member["credentialSubject"]["creditsEarned"] for member in members] == [3, 4.5]


def test_totals_count_what_the_lines_say() -> None:
    line = FIXED.lines[0]
    states = [replace(line, index=place, state=state) for place, state in enumerate(STATES)]

    totals = replace(FIXED, lines=tuple(states)).totals

    assert (totals.count, totals.credits, totals.available, totals.used, totals.lapsed) == (
        4,
        Decimal("6.00"),
        Decimal("3.00"),
        Decimal("3.00"),
        Decimal("6.00"),
    )


def test_every_kind_and_category_of_the_catalogue_has_its_words() -> None:
    assert set(KINDS) == set(OutcomeKind.values)
    assert set(CATEGORIES) == set(Category.values)


@pytest.mark.parametrize("kind", [*KINDS, "micro-course"])
def test_a_kind_is_read_back_from_its_open_badges_type(kind: str) -> None:
    assert outcome_kind(achievement_type(kind)) == kind


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"holder_name": " "}, "holder_name"),
        ({"holder_name": "a\x07b"}, "holder_name"),
        ({"holder_name": "a\u202eb"}, "holder_name"),
        ({"holder_name": "\ud842"}, "holder_name"),
        ({"issuer_name": "x" * 301}, "issuer_name"),
        ({"verify_token": "short"}, "verify_token"),
        ({"lines": ()}, "lines"),
        ({"lines": (FIXED.lines[0], FIXED.lines[0])}, "index"),
        ({"lines": (replace(FIXED.lines[0], account="0000-0000-0000"),)}, "account"),
        ({"other_accounts": (FIXED.account,)}, "account"),
    ],
)
def test_values_that_cannot_stand_on_a_transcript_are_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(TranscriptInvalid) as refused:
        replace(FIXED, **changes)

    assert refused.value.facts["field"] == field


@pytest.mark.parametrize("changes", [{"state": "lost"}, {"index": -1}, {"proof": ""}])
def test_a_line_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TranscriptInvalid):
        replace(FIXED.lines[0], **changes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "syntax"),
        (b"[]", "syntax"),
        (b"\xff\xfe", "syntax"),
        (b'{"a": 1} {"b": 2}', "syntax"),
        (b'{"a": 1, "a": 2}', "duplicate"),
        (b'{"a": {"b": 1, "b": 1}}', "duplicate"),
        (b'{"a": NaN}', "constant"),
        (b'{"a": -Infinity}', "constant"),
        (b'{"a": 12345678901234567890}', "number"),
        (b'{"a": "\\ud842"}', "text"),
        (b'{"\\ud842": 1}', "text"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "depth"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "depth"),
        (b'{"a": "' + b"x" * (5 << 20) + b'"}', "size"),
    ],
)
def test_bytes_that_parsers_read_differently_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(documents.DocumentMalformed) as refused:
        documents.decode(data)

    assert refused.value.facts["reason"] == reason


def test_a_difference_is_named_with_its_line() -> None:
    line = FIXED.lines[1]
    other = replace(
        FIXED,
        holder_name="王五",
        lines=(FIXED.lines[0], replace(line, result=Result(grade="优秀"))),
    )

    named = [(item.field, item.line, item.in_file) for item in differences(other, FIXED)]

    assert ("holder_name", None, "王五") in named
    assert ("grade", 2, "优秀") in named
    assert [item.label_zh for item in differences(other, FIXED)][:2] == [
        "持证人姓名",
        "第 2 项 成绩等级",
    ]


def test_a_line_taken_away_is_named_and_the_others_are_not() -> None:
    shorter = replace(FIXED, lines=FIXED.lines[1:])

    assert [(item.field, item.in_file) for item in differences(shorter, FIXED)] == [("lines", "")]
    assert [(item.field, item.line) for item in differences(FIXED, shorter)] == [("lines", 1)]

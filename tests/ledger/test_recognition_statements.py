"""What recognition says in the ledger: its bytes are frozen, and what cannot be is not expressible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from creditbank.ledger.statements import (
    PROGRAMME,
    RULE,
    ConsumptionReversed,
    CreditConsumed,
    CreditPreApproved,
    CreditRecognised,
    RecognitionReversed,
    RulePublished,
    RuleWithdrawn,
    Statement,
    StatementInvalid,
)
from creditbank.proofs import commitments

LEAF = bytes(range(32))
DIGEST = bytes(range(100, 132))
ACCOUNT = 0x12_3456_789A_BCDE
BODY = "12220000X00000001X"

RECOGNISED = CreditRecognised(
    account=ACCOUNT,
    decision="认〔2026〕12号",
    digest=DIGEST,
    programme="LOG-2026",
    programme_version=2,
    body=BODY,
    body_name="示例开放大学",
    credits=Decimal("8.5"),
    decided_on=date(2026, 9, 1),
)
CONSUMED = CreditConsumed(
    account=ACCOUNT, leaf=LEAF, quantity_consumed=300, decision="认〔2026〕12号", generation=2
)
RELEASED = ConsumptionReversed(
    account=ACCOUNT, leaf=LEAF, quantity_undone=-300, reason="决定变更", decision="认〔2026〕12号"
)
UNDONE = RecognitionReversed(
    account=ACCOUNT, leaf=LEAF, quantity_undone=850, reason="决定变更", decision="认〔2026〕12号"
)
PRE_APPROVED = CreditPreApproved(
    account=ACCOUNT,
    number="预〔2026〕3号",
    digest=DIGEST,
    programme="LOG-2026",
    programme_version=2,
    before=date(2027, 7, 15),
    body=BODY,
)
PUBLISHED = RulePublished(
    schema=RULE, owner=BODY, code="R-017", version=3, digest=DIGEST, first_day=date(2026, 9, 1)
)
WITHDRAWN = RuleWithdrawn(
    schema=RULE,
    owner=BODY,
    code="R-017",
    version=3,
    leaf=LEAF,
    reason="依据已废止",
    on=date(2027, 3, 1),
)

SALTS = ["".join(f"{byte:02x}" for byte in range(at, at + 16)) for at in (0, 16, 32, 48)]
LEAF64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
DIGEST64 = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="

GOLDEN: list[tuple[Statement, str, str, str, str]] = [
    (
        RECOGNISED,
        (
            '{"body":"12220000X00000001X","body_name":"示例开放大学","decided_on":"2026-09-01",'
            f'"decision":"认〔2026〕12号","digest":"{DIGEST64}","k":"recognise",'
            '"programme":"LOG-2026","pv":2,"q":850,"s":"S0"}'
        ),
        '{"s":"S2","u":"recognition|12220000X00000001X|认〔2026〕12号/1"}',
        "4HMA-SW9N-F6YN",
        "5a3073d93dfc6df3",
    ),
    (
        CONSUMED,
        '{"decision":"认〔2026〕12号","k":"consume","q":-300,"s":"S0"}',
        f'{{"leaf":"{LEAF64}","s":"S2","u":"{LEAF.hex()}/2"}}',
        "4HMA-SW9N-F6YN",
        "e9402f8eac08408c",
    ),
    (
        RELEASED,
        '{"decision":"认〔2026〕12号","k":"consume-reverse","q":300,"reason":"决定变更","s":"S0"}',
        f'{{"leaf":"{LEAF64}","s":"S2","u":"{LEAF.hex()}/1"}}',
        "4HMA-SW9N-F6YN",
        "d36436b71268c676",
    ),
    (
        UNDONE,
        '{"decision":"认〔2026〕12号","k":"recognise-reverse","q":-850,"reason":"决定变更","s":"S0"}',
        f'{{"leaf":"{LEAF64}","s":"S2","u":"{LEAF.hex()}/1"}}',
        "4HMA-SW9N-F6YN",
        "691ccc92feaba1ab",
    ),
    (
        PRE_APPROVED,
        (
            f'{{"before":"2027-07-15","body":"{BODY}","digest":"{DIGEST64}","k":"pre-approve",'
            '"number":"预〔2026〕3号","programme":"LOG-2026","pv":2,"q":0,"s":"S0"}'
        ),
        f'{{"s":"S2","u":"pre-approval|{BODY}|预〔2026〕3号/1"}}',
        "4HMA-SW9N-F6YN",
        "ff7b775614075355",
    ),
    (
        PUBLISHED,
        (
            f'{{"code":"R-017","digest":"{DIGEST64}","from":"2026-09-01","k":"rule-publish",'
            f'"owner":"{BODY}","q":0,"s":"S0","schema":"llcb/rule/v1","version":3}}'
        ),
        f'{{"s":"S2","u":"llcb/rule/v1|{BODY}|R-017|3/1"}}',
        "0",
        "f405fc54c119079f",
    ),
    (
        replace(PUBLISHED, schema=PROGRAMME, code="LOG-2026", last_day=date(2027, 8, 31)),
        (
            f'{{"code":"LOG-2026","digest":"{DIGEST64}","from":"2026-09-01","k":"rule-publish",'
            f'"owner":"{BODY}","q":0,"s":"S0","schema":"llcb/programme/v1","until":"2027-08-31",'
            '"version":3}'
        ),
        f'{{"s":"S2","u":"llcb/programme/v1|{BODY}|LOG-2026|3/1"}}',
        "0",
        "955385426e7c52be",
    ),
    (
        WITHDRAWN,
        (
            f'{{"code":"R-017","k":"rule-withdraw","on":"2027-03-01","owner":"{BODY}","q":0,'
            '"reason":"依据已废止",'
            '"s":"S0","schema":"llcb/rule/v1","version":3}'
        ),
        f'{{"leaf":"{LEAF64}","s":"S2","u":"{LEAF.hex()}/1"}}',
        "0",
        "cf0c0a6758f9837b",
    ),
]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda one: type(one[0]).__name__)
def test_the_bytes_of_an_opening_are_frozen(golden: tuple[Statement, str, str, str, str]) -> None:
    statement, core, reference, account, digest = golden
    opening = statement.opening(bytes(range(64)))
    expected = "\t".join([core, '{"s":"S1"}', reference, f'{{"a":"{account}","s":"S3"}}'])
    for number, salt in enumerate(SALTS):
        expected = expected.replace(f'"S{number}"', f'"{salt}"')
    assert opening.decode() == expected
    assert sha256(opening).hexdigest()[:16] == digest


def test_a_leaf_names_what_it_acts_on_and_nothing_else_of_a_decision() -> None:
    opened = commitments.read_openings([RECOGNISED.opening(), CONSUMED.opening()])
    (recognised, _), (consumed, _) = commitments.number("college.example/2026", 7, opened)
    assert commitments.parse_leaf(recognised).acts_on is None
    assert commitments.parse_leaf(recognised).quantity == 850
    parsed = commitments.parse_leaf(consumed)
    assert (parsed.acts_on, parsed.quantity, parsed.kind) == (LEAF, -300, "consume")
    assert "认".encode() not in recognised + consumed


def test_a_recognition_is_read_back_from_its_opening() -> None:
    ((_, core, _, _, _),) = commitments.read_openings([RECOGNISED.opening()])
    assert CreditRecognised.from_core(ACCOUNT, core) == RECOGNISED


def test_a_waiver_recognises_no_credits() -> None:
    assert replace(RECOGNISED, credits=Decimal(0)).quantity == 0


@pytest.mark.parametrize(
    ("statement", "changes", "field"),
    [
        (RECOGNISED, {"credits": Decimal("-0.01")}, "credits"),
        (RECOGNISED, {"credits": Decimal("200.01")}, "credits"),
        (RECOGNISED, {"credits": Decimal("0.005")}, "credits"),
        (RECOGNISED, {"credits": Decimal("NaN")}, "credits"),
        (RECOGNISED, {"digest": b"short"}, "digest"),
        (RECOGNISED, {"decision": " "}, "decision"),
        (RECOGNISED, {"programme": ""}, "programme"),
        (RECOGNISED, {"programme_version": 0}, "programme_version"),
        (RECOGNISED, {"body": ""}, "body"),
        (RECOGNISED, {"body_name": "a\nb"}, "body_name"),
        (RECOGNISED, {"account": 0}, "account"),
        (CONSUMED, {"leaf": b"short"}, "leaf"),
        (CONSUMED, {"decision": ""}, "decision"),
        (CONSUMED, {"generation": 0}, "generation"),
        (RELEASED, {"reason": ""}, "reason"),
        (RELEASED, {"decision": ""}, "decision"),
        (UNDONE, {"reason": ""}, "reason"),
        (UNDONE, {"decision": ""}, "decision"),
        (PRE_APPROVED, {"number": ""}, "number"),
        (PRE_APPROVED, {"programme_version": -1}, "programme_version"),
        (PRE_APPROVED, {"body": ""}, "body"),
        (PUBLISHED, {"schema": "llcb/decision/v1"}, "schema"),
        (PUBLISHED, {"owner": ""}, "owner"),
        (PUBLISHED, {"code": ""}, "code"),
        (PUBLISHED, {"version": 0}, "version"),
        (PUBLISHED, {"digest": bytes(31)}, "digest"),
        (PUBLISHED, {"last_day": date(2026, 8, 31)}, "last_day"),
        (PUBLISHED, {"account": ACCOUNT}, "account"),
        (WITHDRAWN, {"schema": "rule"}, "schema"),
        (WITHDRAWN, {"owner": ""}, "owner"),
        (WITHDRAWN, {"reason": ""}, "reason"),
        (WITHDRAWN, {"leaf": bytes(31)}, "leaf"),
    ],
)
def test_what_cannot_be_is_not_expressible(
    statement: Any, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(StatementInvalid) as refused:
        replace(statement, **changes)
    assert refused.value.facts["field"] == field

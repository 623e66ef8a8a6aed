"""Transcripts drawn at random, for properties that must hold of every one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from certificates import codes
from certificates.formats.transcript import STATES, TranscriptData, TranscriptLine
from certificates.formats.vocabulary import CATEGORIES, KINDS
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import CREDITS_MAX, Outcome, Result

_NAMES = st.sampled_from(
    [
        "数据库原理与应用",
        "欧阳𬎆",
        "김철수",
        'Say "hello" \\ and <go>',
        "𠮷",
        "A",
        "大学·语文 2.0",
        "ñandú",
    ]
)
TEXT = st.one_of(
    _NAMES,
    st.text(
        st.characters(
            codec="utf-8",
            exclude_categories=("Cc", "Cs"),
            exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
        ),
        min_size=1,
        max_size=40,
    ).filter(lambda text: bool(text.strip())),
)
MAYBE = st.one_of(st.just(""), TEXT)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
CREDITS = st.integers(0, int(CREDITS_MAX * 100)).map(lambda hundredths: Decimal(hundredths) / 100)
ACCOUNTS = st.integers(1, (1 << 55) - 1).map(format_account)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    completed_on = draw(DAYS)
    later = st.dates(completed_on, date(2120, 1, 1))
    return Outcome(
        item=draw(TEXT),
        item_version=draw(st.integers(1, 10_000)),
        kind=draw(st.sampled_from([*KINDS, "micro-course"])),
        title=draw(TEXT),
        title_en=draw(MAYBE),
        body=draw(TEXT),
        body_name=draw(TEXT),
        credits=draw(CREDITS),
        framework=draw(MAYBE),
        level=draw(MAYBE),
        category=draw(st.sampled_from(["", *CATEGORIES, "其他"])),
        completed_on=completed_on,
        valid_until=draw(st.none() | later),
    )


@st.composite
def transcripts(draw: st.DrawFn, *, lines: int = 3) -> TranscriptData:
    """Draw a transcript of up to `lines` lines; its proofs are texts, not proofs."""
    accounts = draw(st.lists(ACCOUNTS, min_size=1, max_size=3, unique=True))
    indexes = draw(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=lines, unique=True))
    return TranscriptData(
        number=codes.grouped(codes._new("number")),
        holder_name=draw(TEXT),
        holder_identity_masked=draw(MAYBE),
        account=accounts[0],
        other_accounts=tuple(accounts[1:]),
        issued_on=draw(DAYS),
        issuer_name=draw(TEXT),
        issuer_name_en=draw(MAYBE),
        bank_did="did:web:bank.example",
        public_url=draw(st.sampled_from(["http://localhost:8000", "https://bank.example"])),
        verify_token=draw(st.text("abcXYZ019", min_size=22, max_size=22)),
        lines=tuple(
            TranscriptLine(
                index=index,
                outcome=draw(outcomes()),
                result=Result(grade=draw(MAYBE), score=draw(MAYBE), hours=draw(MAYBE)),
                state=draw(st.sampled_from(STATES)),
                recorded_on=draw(DAYS),
                institution_name=draw(TEXT),
                proof=draw(
                    st.sampled_from(["c2sp.org/tlog-proof@v1\nindex 1\n\n— a b\n", "proof"])
                ),
                account=draw(st.sampled_from(["", *accounts[1:]])),
            )
            for index in indexes
        ),
    )

"""What the bank checks of every opening before it is placed, whoever prepared it.

All problems of all rows at once. The checks run over the parsed parts, flat and
without queries per row: a catalogue item is looked up once, an account never.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from django.conf import settings

from creditbank.errors import Problem, Refusals
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.queries import RecordingRefusal
from creditbank.ledger import kinds
from creditbank.ledger.basis import Basis
from creditbank.ledger.numbers import AccountNumberInvalid, parse_account
from creditbank.ledger.recognitionchecks import RecognitionChecks
from creditbank.ledger.rowproblems import EARLIEST, RowProblems, civil
from creditbank.ledger.statements import (
    CREDITS_MAX,
    StatementInvalid,
    acting_u,
    split_generation,
)
from creditbank.proofs import commitments

CORE_MEMBERS: Final = frozenset(
    [
        "k",
        "q",
        "kind",
        "item",
        "iv",
        "title",
        "title_en",
        "body",
        "body_name",
        "framework",
        "level",
        "category",
        "completed_on",
        "valid_until",
    ]
)
CERTIFICATES: Final = frozenset({OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL})
_ITS_OWN: Final = frozenset(
    {
        kinds.AWARD,
        kinds.CONSUME,
        kinds.RECOGNISE,
        kinds.PRE_APPROVE,
        kinds.RULE_PUBLISH,
        kinds.RULE_WITHDRAW,
    }
)
INSTITUTION_KINDS: Final = _ITS_OWN | {
    kinds.AWARD_REVERSE,
    kinds.CONSUME_REVERSE,
    kinds.RECOGNISE_REVERSE,
}
BANK_KINDS: Final = frozenset(kinds.KINDS) - _ITS_OWN
"""Who signs what: awards, the stream that awarded; recognitions, the receiving body; rules,
their owner; each also the reversal of its own; keys, transcripts, expiry, the release of
awards that fall, and ordered reversals, the bank."""


class SubmissionRefused(Refusals):
    """Rows of a submission that the bank does not accept: all of them, with all their problems."""

    code: ClassVar[str] = "submission-refused"


class OpeningChecks:
    """The checks of one submission to one stream."""

    def __init__(self, stream: str, held: Basis) -> None:
        self._stream = stream
        self._allowed = BANK_KINDS if stream == settings.BANK_STREAM else INSTITUTION_KINDS
        self._newest = held.today.isoformat()
        self._registry = held.register
        self._refusals: dict[tuple[str, int, date], RecordingRefusal | None] = {}
        self._dates: dict[object, date | None] = {}
        self._accounts: dict[str, int] = {}
        # Awards without a problem, by the identity of a core and a reference part that many rows
        # share; the parts are kept with it, so that no others can take their identity.
        self._sound: dict[tuple[int, int], tuple[commitments.Members, commitments.Members]] = {}
        self._rows = RowProblems()
        self._recognition: RecognitionChecks | None = None

    def run(self, opened: Sequence[commitments.Opened]) -> tuple[list[int], list[Problem]]:
        """Check every row; return the rows' accounts, and all problems."""
        accounts: list[int] = []
        problems, sound = self._rows.problems, self._sound
        for row, (_, core, _, reference, holder) in enumerate(opened, 1):
            if (id(core), id(reference)) in sound:
                accounts.append(self._account(row, kinds.AWARD, holder.get("a")))
                continue
            before = len(problems)
            generated = self._unique(row, reference.get("u"))
            kind = kinds.BY_NAME.get(core.get("k", ""))
            if kind is None:
                self._rows.add(
                    row,
                    "unknown-kind",
                    "k",
                    core.get("k"),
                    ", ".join(kinds.BY_NAME),
                    "没有这种分录",
                )
                continue
            if kind not in self._allowed:
                self._rows.add(
                    row,
                    "kind-not-allowed",
                    "k",
                    kind.name,
                    ", ".join(sorted(allowed.name for allowed in self._allowed)),
                    "这个序列不能记这种分录",
                )
                continue
            if kind is kinds.AWARD:
                self._award(row, core, reference)
                if len(problems) == before and generated:
                    self._names_itself(row, core, reference)
                if len(problems) == before:
                    sound[id(core), id(reference)] = (core, reference)
            else:
                self._quantity(row, kind, core.get("q"))
                if kind.acts_on and self._leaf(row, reference.get("leaf")) and generated:
                    self._names_its_leaf(row, kind, reference)
                self._others().look(row, kind, core, reference)
            accounts.append(self._account(row, kind, holder.get("a")))
        if self._recognition is not None:
            self._recognition.settle()
        return accounts, problems

    def _others(self) -> RecognitionChecks:
        """Return the checks of rows that are no awards; most submissions have none."""
        if self._recognition is None:
            self._recognition = RecognitionChecks(
                self._rows,
                owner=self._registry.owner(self._stream),
                bank=self._stream == settings.BANK_STREAM,
                newest=self._newest,
            )
        return self._recognition

    def _account(self, row: int, kind: kinds.Kind, text: object) -> int:
        if not isinstance(text, str):
            self._rows.add(row, "account-number-invalid", "a", text, "账号", "没有写明账号")
            return 0
        if kind.public or text == "0":
            if not (kind.public and text == "0"):
                self._rows.add(row, "account-number-invalid", "a", text, "账号", "账号不对")
            return 0
        known = self._accounts.get(text)
        if known is not None:
            return known
        try:
            number = parse_account(text)
        except AccountNumberInvalid as error:
            self._rows.add(
                row,
                error.code,
                "a",
                text,
                "ABCD-EFGH-JKLM",
                "账号有误，请对照开户回执核对每一组字符",
            )
            number = 0
        self._accounts[text] = number
        return number

    def _unique(self, row: int, u: object) -> bool:
        try:
            if not isinstance(u, str) or len(u) > 500:
                raise StatementInvalid
            split_generation(u)
        except StatementInvalid:
            self._rows.add(row, "u-invalid", "u", u, ".../1", "唯一标识必须以 /1、/2 … 结尾")
            return False
        return True

    def _names_itself(
        self, row: int, core: commitments.Members, reference: commitments.Members
    ) -> None:
        """Check that an award is unique by what it is: nobody awards one thing under two names."""
        base, _ = split_generation(reference["u"])
        body, item = core["body"], core["item"]
        occurrence = str(reference.get("occurrence", "")).casefold()
        if core["kind"] in CERTIFICATES:
            number = reference.get("certificate")
            expected, fits = f"{body}||{number or ''}/1", base == f"{body}||{number}"
        elif core["kind"] == OutcomeKind.COURSE:
            # A course is one outcome; an attempt that counts nothing stands with its term.
            names = {f"{body}|{item}|"} | (
                {f"{body}|{item}|{occurrence}"} if not core["q"] else set()
            )
            expected, fits = f"{min(names)}/1", base in names
        else:
            expected = f"{body}|{item}|…/1"
            fits = base.startswith(f"{body}|{item}|") and len(base) > len(expected) - 3
        if not fits:
            self._rows.add(
                row, "u-mismatch", "u", reference["u"], expected, "唯一标识与所授予的成果不符"
            )

    def _quantity(self, row: int, kind: kinds.Kind, quantity: object) -> None:
        """Check a quantity as far as its sign: whether it fits what is acted on, the lock tells."""
        if type(quantity) is not int:
            self._rows.add(row, "quantity", "q", quantity, "整数", "数量必须是整数")
        elif kind.sign == "zero" and quantity:
            self._rows.add(row, "quantity", "q", quantity, "0", "这种分录不变动学分")

    def _names_its_leaf(self, row: int, kind: kinds.Kind, reference: commitments.Members) -> None:
        """Check that an entry is unique by what it acts on: so that it is found by that."""
        leaf = base64.b64decode(reference["leaf"])
        base, generation = split_generation(reference["u"])
        if base != leaf.hex() or (kind.klass == "undo" and generation != 1):
            self._rows.add(
                row, "u-mismatch", "u", reference["u"], acting_u(leaf), "唯一标识与所指的分录不符"
            )

    def _leaf(self, row: int, text: object) -> bool:
        try:
            data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except binascii.Error:
            data = b""
        if len(data) != 32:
            self._rows.add(
                row, "leaf-invalid", "leaf", text, "32 字节的 base64", "没有写明所指的分录"
            )
            return False
        return True

    def _award(self, row: int, core: commitments.Members, reference: commitments.Members) -> None:
        quantity = core.get("q")
        if type(quantity) is not int or not 0 <= quantity <= CREDITS_MAX * 100:
            self._rows.add(
                row, "credits-out-of-range", "q", quantity, f"0–{CREDITS_MAX}", "学分超出范围"
            )
        extra = core.keys() - CORE_MEMBERS
        if extra:
            self._rows.add(
                row, "unknown-member", sorted(extra)[0], "", "", "开启内容里有不认识的成员"
            )
        completed = self._date(core.get("completed_on"))
        if completed is None:
            self._rows.add(
                row,
                "date-invalid",
                "completed_on",
                core.get("completed_on"),
                "YYYY-MM-DD",
                "日期无法读取",
            )
            return
        if not EARLIEST <= core["completed_on"] <= self._newest:
            self._rows.add(
                row,
                "date-in-future" if core["completed_on"] > self._newest else "date-too-old",
                "completed_on",
                core["completed_on"],
                f"{EARLIEST} – {self._newest}",
                "完成日期不在允许的范围内",
            )
        self._item(row, core, reference, completed)

    def _date(self, text: object) -> date | None:
        if text not in self._dates:
            self._dates[text] = civil(text)
        return self._dates[text]

    def _item(
        self, row: int, core: commitments.Members, reference: commitments.Members, completed: date
    ) -> None:
        item, version = core.get("item"), core.get("iv")
        expected = self._registry.opening_members(item, version)
        if expected is None:
            self._rows.add(
                row,
                "unknown-item",
                "item",
                f"{item} v{version}",
                "学习成果名录中已核定的项目",
                "名录中没有这个已核定的项目",
            )
            return
        for name, value in expected.items():
            if core.get(name, "") == value:
                continue
            if name == "q" and core["q"] == 0 and reference.get("occurrence"):
                continue  # A worse attempt stands with its term, and counts nothing.
            self._rows.add(
                row,
                "differs-from-catalogue",
                name,
                core.get(name, ""),
                value,
                "与学习成果名录核定的内容不符",
            )
        key = (core["item"], core["iv"], completed)
        if key not in self._refusals:
            self._refusals[key] = self._registry.recording_refusal(self._stream, *key)
        refusal = self._refusals[key]
        if refusal is not None:
            self._rows.add(
                row,
                refusal.code,
                "item",
                f"{core['item']} v{core['iv']}",
                refusal.expected,
                "机构不能记录在该日期完成的这个项目",
            )

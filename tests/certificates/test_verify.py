"""What a stranger is told about a genuine transcript, now and later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from certificates import documents
from certificates.report import CHECKS, CODES, EXIT, PRECEDENCE, Outcome, Report, Verdict
from certificates.verify import verify_file
from creditbank import trust
from creditbank.ledger.numbers import format_account
from creditbank.trust import Reversal, Revocation, Status
from tests.certificates import forgeries
from tests.certificates.bank import (
    ASSESSOR,
    CERTIFICATE,
    ISSUED_ON,
    LEARNER,
    OTHER,
    OUTCOMES,
    Bank,
    Genuine,
    genuine,
)


def verified(
    file: bytes | None = None,
    *,
    made: Genuine | None = None,
    status: Status | None = None,
    at: date = ISSUED_ON,
    register: Mapping[str, Any] | None = None,
) -> Report:
    made = made or genuine()
    return verify_file(
        made.json if file is None else file,
        trust=made.trust,
        status=status,
        at=at,
        register=register,
    )


def verdicts(report: Report) -> list[str]:
    return [check.verdict.value for check in report.checks]


# -- a genuine transcript ---------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_with_a_status_every_check_is_made_and_passed(form: str) -> None:
    made = genuine()

    report = verified(getattr(made, form), status=made.status)

    assert report.code == "V-OK"
    assert report.outcome is Outcome.VALID
    assert verdicts(report) == ["valid"] * 6 + ["undetermined"]
    assert report.data is not None
    assert report.data.number == made.data.number
    assert report.digest == documents.digest(made.document)
    assert report.leaves == tuple(made.bank.leaf_hash(index) for index in made.indexes)
    assert report.status_size == made.status.size
    assert report.registered_at == made.bank.time


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_without_a_status_the_present_state_could_not_be_checked(form: str) -> None:
    report = verified(getattr(genuine(), form))

    assert report.code == "V-UNAVAILABLE"
    assert report.exit_code == 2
    assert verdicts(report) == ["valid"] * 4 + ["undetermined", "valid", "undetermined"]


def test_a_status_older_than_the_document_is_no_passed_check() -> None:
    made = genuine()
    assert verified(status=made.status).index is not None
    older = trust.parse_status(made.bank.status_wire(size=verified().index), made.trust)

    report = verified(status=older)

    assert report.code == "V-UNAVAILABLE"
    assert "早于本证明的登记" in report.checks[4].findings[0].zh


def test_the_seventh_check_is_for_the_reader_and_decides_nothing() -> None:
    report = verified(status=genuine().status)

    assert report.checks[6].verdict is Verdict.UNDETERMINED
    assert "2224**********1234" in report.checks[6].findings[0].zh
    assert report.exit_code == 0


def test_a_line_entered_before_its_key_was_retired_stays_good() -> None:
    made = genuine()
    retired = made.trust.streams[ASSESSOR].keys[0].retired

    assert retired is not None
    assert made.indexes[3] < retired
    assert verified(status=made.status).code == "V-OK"


def test_a_line_under_a_second_key_of_its_institution_is_good() -> None:
    bank = Bank()
    bank.retire_key(ASSESSOR)
    second = bank.signer("the assessor's second key", "Ed25519")
    bank.add_key(ASSESSOR, second)
    index = bank.award(LEARNER, [CERTIFICATE], stream=ASSESSOR, signer=second)
    file = documents.encode(bank.issue(bank.data([bank.line(index)])))

    report = verify_file(file, trust=bank.trust(), status=bank.status(), at=ISSUED_ON)

    assert report.code == "V-OK"


def test_a_learner_with_two_accounts_has_one_transcript() -> None:
    bank = Bank()
    first = bank.award(LEARNER, OUTCOMES[:1])
    second = bank.award(OTHER, OUTCOMES[1:2])
    main, other = format_account(LEARNER), format_account(OTHER)
    data = bank.data(
        [bank.line(first), replace(bank.line(second), account=other)], other_accounts=(other,)
    )
    file = documents.encode(bank.issue(data))
    exchanged = replace(
        data,
        account=other,
        other_accounts=(main,),
        lines=(data.lines[0], replace(data.lines[1], account=main)),
    )
    wrong = documents.encode(bank.issue(exchanged))

    good = verify_file(file, trust=bank.trust(), status=bank.status(), at=ISSUED_ON)
    bad = verify_file(wrong, trust=bank.trust(), status=bank.status(), at=ISSUED_ON)

    assert good.code == "V-OK"
    assert bad.code == "V-TAMPERED"
    assert {(item.field, item.line) for item in bad.differences} == {("account", 1), ("account", 2)}


def test_a_byte_order_mark_and_blanks_around_the_json_do_no_harm() -> None:
    made = genuine()

    assert verified(b"\xef\xbb\xbf\n " + made.json + b"\n\n", status=made.status).code == "V-OK"


def test_json_written_by_another_program_is_the_same_document() -> None:
    made = genuine()
    reordered = json.dumps(dict(sorted(made.document.items())), ensure_ascii=True).encode()

    assert verified(reordered, status=made.status).code == "V-OK"


# -- revoked, corrected, expired --------------------------------------------------------------


def test_a_revoked_transcript_is_invalid_with_its_reason() -> None:
    made = genuine()
    digest = documents.digest(made.document)
    status = made.bank.status(revoked={digest: Revocation(reason="误发", successor="", index=16)})

    report = verified(status=status)

    assert (report.code, report.exit_code) == ("V-REVOKED", 1)
    assert "误发" in report.checks[4].findings[0].zh
    assert verdicts(report)[:4] == ["valid"] * 4


def test_a_corrected_transcript_is_genuine_and_names_its_successor() -> None:
    made = genuine()
    digest = documents.digest(made.document)
    status = made.bank.status(
        revoked={digest: Revocation(reason="更正", successor="ER92-7JDV-HKVQ", index=16)}
    )

    report = verified(status=status)

    assert (report.code, report.exit_code) == ("V-NOTE-SUPERSEDED", 0)
    assert report.outcome is Outcome.NOTE
    assert "ER92-7JDV-HKVQ" in report.checks[4].findings[0].zh
    assert report.checks[4].state == "note"


def test_one_reversed_line_revokes_and_the_others_stand() -> None:
    made = genuine()
    status = made.bank.status(
        reversed={made.bank.leaf_hash(made.indexes[1]): Reversal(reason="成绩更正", index=16)}
    )

    report = verified(status=status)

    assert report.code == "V-REVOKED"
    named = [(finding.line, finding.field) for finding in report.checks[4].findings]
    assert named == [(2, "lines")]
    assert "其余各项不受影响" in report.checks[4].findings[0].zh


def test_a_reversed_line_with_a_successor_is_a_note() -> None:
    made = genuine()
    digest = documents.digest(made.document)
    status = made.bank.status(
        revoked={digest: Revocation(reason="更正", successor="ER92-7JDV-HKVQ", index=16)},
        reversed={made.bank.leaf_hash(made.indexes[1]): Reversal(reason="成绩更正", index=16)},
    )

    report = verified(status=status)

    assert report.code == "V-NOTE-SUPERSEDED"
    assert [finding.line for finding in report.checks[4].findings] == [None, 2]


def test_a_line_shown_as_reversed_already_revokes_nothing() -> None:
    bank = Bank()
    first = bank.award(LEARNER, OUTCOMES)
    bank.reverse(first)
    lines = [replace(bank.line(first), state="reversed"), bank.line(first + 1)]
    file = documents.encode(bank.issue(bank.data(lines)))
    status = bank.status(reversed={bank.leaf_hash(first): Reversal(reason="更正", index=first + 4)})

    assert verify_file(file, trust=bank.trust(), status=status, at=ISSUED_ON).code == "V-OK"


def test_the_last_valid_day_is_still_valid_and_the_next_is_not() -> None:
    made = genuine()
    until = made.data.lines[2].outcome.valid_until
    assert until is not None

    last = verified(status=made.status, at=until)
    after = verified(status=made.status, at=until + timedelta(days=1))

    assert last.code == "V-OK"
    assert (after.code, after.exit_code) == ("V-NOTE-EXPIRED", 0)
    assert [(finding.field, finding.line) for finding in after.checks[5].findings] == [
        ("valid_until", 3)
    ]


def test_revoked_and_expired_is_revoked_first() -> None:
    made = genuine()
    digest = documents.digest(made.document)
    status = made.bank.status(revoked={digest: Revocation(reason="误发", successor="", index=16)})

    report = verified(status=status, at=ISSUED_ON + timedelta(days=9000))

    assert report.code == "V-REVOKED"
    assert "V-NOTE-EXPIRED" in {finding.code for finding in report.findings}


def test_a_date_before_the_issue_cannot_be_judged() -> None:
    report = verified(status=genuine().status, at=ISSUED_ON - timedelta(days=2))

    assert (report.code, report.exit_code) == ("V-UNAVAILABLE", 2)


# -- what is not believed ---------------------------------------------------------------------


def test_after_a_failed_second_check_the_next_four_are_not_evaluated() -> None:
    made = genuine()

    report = verified(forgeries.score_changed(made), status=made.status)

    assert [check.state for check in report.checks] == [
        "valid",
        "invalid",
        "skipped",
        "skipped",
        "skipped",
        "skipped",
        "undetermined",
    ]
    assert {check.verdict for check in report.checks[2:6]} == {Verdict.UNDETERMINED}


def test_the_register_names_what_the_file_alone_cannot() -> None:
    made = genuine()
    file = forgeries.holder_renamed(made)

    alone = verified(file, status=made.status)
    asked = verified(file, status=made.status, register=made.document)

    assert alone.fields == {"content"}
    assert [(item.field, item.in_file, item.expected) for item in asked.differences] == [
        ("holder_name", "王五", "欧阳𬎆")
    ]


def test_the_register_of_the_same_document_finds_no_difference() -> None:
    made = genuine()

    report = verified(made.pdf, status=made.status, register=made.document)

    assert report.code == "V-OK"


def test_a_file_that_is_not_ours_says_nothing_of_its_own() -> None:
    report = verified(forgeries.transcript_of_another_platform(genuine()))

    assert report.code == "V-WRONGFILE"
    assert report.data is None
    assert report.differences == ()
    assert [check.state for check in report.checks][1:] == ["skipped"] * 6


# -- the report itself ------------------------------------------------------------------------


def test_a_report_for_programs_holds_every_check_code_and_difference() -> None:
    made = genuine()
    value = verified(forgeries.score_changed(made), status=made.status).to_json()

    assert json.loads(json.dumps(value)) == value
    assert value["code"] == "V-TAMPERED"
    assert [check["number"] for check in value["checks"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [check["evaluated"] for check in value["checks"]] == [
        True,
        True,
        False,
        False,
        False,
        False,
        True,
    ]
    assert {(item["field"], item["line"]) for item in value["differences"]} == {("score", 1)}


def test_every_code_has_both_languages_and_a_next_step() -> None:
    for code in CODES.values():
        assert all((code.zh, code.en, code.next_zh, code.next_en))
    assert set(PRECEDENCE) <= set(CODES)
    assert set(EXIT) == set(Outcome)
    assert list(CHECKS) == [1, 2, 3, 4, 5, 6, 7]


# -- files of every kind ----------------------------------------------------------------------


def damaged(source: bytes, random: Random) -> bytes:
    """Change a file in one to thirty places: other bytes, bytes missing, added, doubled."""
    file = bytearray(source)
    for _ in range(random.choice([1, 1, 2, 5, 30])):
        place = random.randrange(len(file))
        trick = random.randrange(4)
        if trick == 0:
            file[place] = random.randrange(256)
        elif trick == 1:
            del file[place : place + random.randrange(1, 40)]
        elif trick == 2:
            file[place:place] = random.randbytes(random.randrange(1, 10))
        else:
            other = random.randrange(len(file))
            file[place:place] = file[other : other + random.randrange(1, 200)]
    return bytes(file)


@pytest.mark.parametrize("form", ["json", "pdf"])
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_answered_and_never_passed(form: str, seed: int) -> None:
    made = genuine()
    file = damaged(getattr(made, form), Random(seed))

    report = verified(file, status=made.status)

    if report.code == "V-OK":  # a byte was replaced by itself, or blanks were touched
        same = json.loads(file) == made.document if form == "json" else file == made.pdf
        assert same
    else:
        assert report.exit_code in (1, 3)

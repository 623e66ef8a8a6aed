"""Bad input through every door: row, field, value found and expected, all at once, nothing entered."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any, Final

import pytest

from api.parsers import SUBMISSION
from creditbank.clock import today
from creditbank.ledger import operations, submissions
from creditbank.ledger.numbers import format_account
from creditbank.proofs import commitments, notes
from creditbank.proofs.manifests import Manifest
from creditbank.recording import queries as recorded
from creditbank.recording.models import Draft, UploadState
from learners.models import Learner
from tests.api.clients import Program, program_of
from tests.api.test_own_key_path import send
from tests.learners.people import resident
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream
from tests.portals.institution_site import signed_in
from tests.recording.cast import School, make_school, workbook
from tests.recording.test_upload_file import checked

HEADERS: Final = (
    "身份证号", "姓名", "课程代码", "完成日期", "学分", "成绩", "学期",
)  # fmt: skip
TOMORROW: Final = (today() + timedelta(days=1)).isoformat()
WRONG: Final = resident(7).number[:-1] + ("0" if resident(7).number[-1] != "0" else "1")

# What is changed in a good row; the field, code, value shown and what was expected.
CASES: Final[list[tuple[dict[str, str], str, str, str, str]]] = [
    ({"number": WRONG}, "number", "identity-check", "2299**********" + WRONG[-4:], ""),
    ({"item": "NO-SUCH"}, "item", "unknown-item", "NO-SUCH", ""),
    ({"credits": "200.01"}, "credits", "credits-out-of-range", "200.01", "0 – 200.00"),
    ({"credits": "-0.01"}, "credits", "credits-out-of-range", "-0.01", "0 – 200.00"),
    ({"credits": "2.005"}, "credits", "credits-not-hundredths", "2.005", "0.01"),
    ({"credits": "2.00"}, "credits", "credits-differ", "2.00", "3.00"),
    ({"credits": "NaN"}, "credits", "number-unreadable", "NaN", "12.5"),
    ({"completed_on": TOMORROW}, "completed_on", "date-in-future", TOMORROW,
     f"≤ {today().isoformat()}"),
    ({"completed_on": "2026-02-30"}, "completed_on", "date-unreadable", "2026-02-30",
     "2025-06-03"),
]  # fmt: skip


def rows(item: str) -> list[dict[str, str]]:
    """A good row, the bad ones, and a repetition of the first."""
    made = []
    for serial, changes in enumerate([{}, *(case[0] for case in CASES)], 100):
        good = {
            "number": resident(serial).number, "name": "张示例", "item": item,
            "completed_on": "2026-06-17", "score": "86",
        }  # fmt: skip
        made.append(good | changes)
    return [*made, made[0]]


def expected(first_row: int) -> list[tuple[int, str, str, str, str]]:
    """The problems of `rows`, the first of which has this number."""
    found = [(first_row + at, *case[1:]) for at, case in enumerate(CASES, 1)]
    repeated = first_row + len(CASES) + 1
    return [*found, (repeated, "item", "duplicate-in-file", "", str(first_row))]


def told(problems: list[Any]) -> list[tuple[Any, ...]]:
    """Problems as tuples; of a repetition only the row it repeats counts, not the item's code."""
    names = ("row", "field", "code", "value", "expected")
    found = []
    for one in problems:
        facts = one if isinstance(one, dict) else {name: getattr(one, name) for name in names}
        row, field, code, value, wanted = (facts.get(name) or "" for name in names)
        found.append((row, field, code, "" if code == "duplicate-in-file" else value, wanted))
    return found


@pytest.fixture
def school(bank: Any, settings: Any) -> School:
    settings.STAFF_SECOND_FACTOR = False
    return make_school()


@pytest.fixture(autouse=True)
def _second_factor(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False


def nothing_was_entered(size: int) -> None:
    assert operations.head_size() == size
    assert not Draft.objects.exists()
    assert not Learner.objects.exists()


def test_by_the_api(school: School) -> None:
    program, size = program_of(school.institution), operations.head_size()
    answer = program.post(
        f"institutions/{school.slug}/records",
        {"rows": rows(school.items[0].code)},
        Idempotency_Key="k",
    )
    assert answer.status_code == 422
    assert told(answer.json()["problems"]) == expected(1)
    nothing_was_entered(size)


def test_by_resolving(bank: Any) -> None:
    college = make_college(courses=1)
    own = make_own_stream(college)
    size = operations.head_size()
    answer = program_of(college.institution).post(
        f"streams/{own.name}/resolve", {"rows": rows(college.items[0].code)}
    )
    assert answer.status_code == 422
    assert told(answer.json()["problems"]) == expected(1)
    nothing_was_entered(size)


def test_by_a_file(school: School) -> None:
    size = operations.head_size()
    names = ("number", "name", "item", "completed_on", "credits", "score", "term")
    table = [[row.get(name, "") for name in names] for row in rows(school.items[0].code)]
    upload = checked(school, workbook(table, HEADERS))
    assert upload.state == UploadState.CHECKED
    report = recorded.report_of(upload)
    assert report is not None
    assert told(list(report.problems)) == expected(2)
    nothing_was_entered(size)


def test_by_the_form(school: School) -> None:
    client, size = signed_in(school.clerk_member), operations.head_size()
    for changes, field, _, value, wanted in CASES:
        if field in ("credits", "item"):
            continue  # The form offers items and their credits; neither is typed.
        row = rows(school.items[0].code)[0] | changes
        answer = client.post(
            f"/org/{school.slug}/record",
            row | {"document_type": "resident-id", "grade": "", "hours": "", "term": ""},
        )
        assert answer.status_code == 422, changes
        assert list(answer.context["form"].errors) == [field]
        if field != "number":
            assert f'value="{value}"' in answer.content.decode()
            assert wanted.removeprefix("≤ ") in answer.content.decode()
    forged = rows(school.items[0].code)[0] | {"item": "NO-SUCH"}
    assert client.post(f"/org/{school.slug}/record", forged).status_code < 500
    nothing_was_entered(size)


# -- signed submissions, written by a program that is not ours ----------------------------------
def signed(own: OwnStream, openings: list[bytes]) -> bytes:
    leaves = submissions.derive(own.name, own.first, openings)
    manifest = Manifest(
        stream=own.name, first=own.first, count=len(openings), root=leaves.root,
        previous=own.previous,
    )  # fmt: skip
    signer = notes.NoteSigner(name=own.name, type=notes.ED25519, signer=own.key)
    return submissions.encode(notes.sign_note(manifest.text(), signer).encode(), openings)


def changed(opening: bytes, part: int, **members: Any) -> bytes:
    """An opening with members of one part (0 core … 3 holder) changed, or taken away by None."""
    parts = [json.loads(one) for one in opening.split(b"\t")]
    merged = {**parts[part], **members}
    parts[part] = {name: value for name, value in merged.items() if value is not None}
    for one in parts:
        one.pop("s")
    return commitments.join(core=parts[0], result=parts[1], reference=parts[2], holder=parts[3])


def test_by_a_signed_submission(bank: Any) -> None:
    college: College = make_college(courses=1)
    own = make_own_stream(college)
    program: Program = program_of(college.institution)
    item = college.items[0]
    account = format_account(operations.open_account())
    wrong = account[:-1] + ("0" if account[-1] != "0" else "1")
    unknown = format_account(123_456_789)
    good = [college.award(one).opening() for one in operations.open_accounts(14)]
    openings = [
        good[0],
        changed(good[1], 0, q=-1),
        changed(good[2], 0, q=20_001),
        changed(good[3], 1, score=86),
        changed(good[4], 0, q=200),
        changed(good[5], 0, item="NO-SUCH"),
        changed(good[6], 0, completed_on=TOMORROW),
        changed(good[7], 0, completed_on="2026-02-30"),
        changed(good[8], 0, title="另一个名称"),
        changed(good[9], 3, a=wrong),
        changed(good[10], 3, a=unknown),
        changed(good[11], 2, u="no generation"),
        changed(good[12], 0, k="expire"),
        changed(good[13], 3, name="张示例"),
    ]
    size = operations.head_size()
    answer = send(program, own.name, signed(own, openings))
    assert answer.status_code == 422, answer.content
    problems = answer.json()["problems"]
    found = {(one["row"], one["field"], one["code"]) for one in problems}
    assert found >= {
        (2, "q", "credits-out-of-range"),
        (3, "q", "credits-out-of-range"),
        (4, "score", "value-type"),
        (5, "q", "differs-from-catalogue"),
        (6, "item", "unknown-item"),
        (7, "completed_on", "date-in-future"),
        (8, "completed_on", "date-invalid"),
        (9, "title", "differs-from-catalogue"),
        (10, "a", "account-number-invalid"),
        (11, "a", "unknown-account"),
        (12, "u", "u-invalid"),
        (13, "k", "kind-not-allowed"),
        (14, "name", "unknown-member"),
    }
    assert {one["row"] for one in problems} == set(range(2, 15))
    assert [one["row"] for one in problems] == sorted(one["row"] for one in problems)
    assert [one for one in problems if not (one["message"] and one["expected"])] == []
    names = ("row", "field", "value", "expected")
    assert {tuple(one[name] for name in names) for one in problems} >= {
        (2, "q", "-1", "0–200.00"),
        (2, "q", "-1", "300"),
        (5, "q", "200", "300"),
        (9, "title", "另一个名称", item.title),
        (10, "a", wrong, "ABCD-EFGH-JKLM"),
    }
    assert operations.head_size() == size


MEMBERS: Final[list[Any]] = [0, -1, 2**53 - 1, "", "x" * 400, "\x00", "\u202e", "2026-06-17", "/1"]


def test_no_member_of_any_kind_breaks_the_bank(bank: Any) -> None:
    """Each member of each part is taken away, and given everything that JSON's profile allows."""
    college: College = make_college(courses=1)
    own = make_own_stream(college)
    program = program_of(college.institution)
    opening = college.award(operations.open_account(), valid_until=date(2030, 1, 1)).opening()
    parts = [json.loads(part) for part in opening.split(b"\t")]
    size = operations.head_size()
    refused: list[Any] = []
    broken = []
    for part, members in enumerate(parts):
        for name, held in members.items():
            if name == "s":
                continue
            for value in (None, *MEMBERS):
                if value == held:
                    continue
                try:
                    data = signed(own, [changed(opening, part, **{name: value})])
                except (submissions.SubmissionMalformed, ValueError):
                    continue  # No leaf can be derived: such an opening cannot even be signed.
                broken.append((part, name, value, data))
    for part, name, value, data in broken:
        optional = value is None or value == ""
        free = (part, name) in FREE_TEXTS and (optional or value in ("2026-06-17", "/1"))
        if free or (part, name) == (0, "valid_until"):
            continue
        answer = send(program, own.name, data)
        refused.append((part, name, value, answer.status_code))
    assert len(refused) > 100
    assert [one for one in refused if not 400 <= one[3] < 500] == []
    assert operations.head_size() == size


FREE_TEXTS: Final = frozenset(
    [(1, name) for name in ("grade", "hours", "score")]
    + [(3, name) for name in ("prepared_by", "approved_by")]
    + [(2, "u")]
)
"""What an institution may write as it likes (`u` ends in a generation)."""


@pytest.mark.parametrize(
    "data",
    [
        b'{"rows": [{"number": "1", "number": "2"}]}',
        b'{"rows": [{"credits": NaN}]}',
        b'{"rows": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"rows": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b"PK\x03\x04 a spreadsheet",
        b"%PDF-1.7",
        b"\xff\xfe{\x00}\x00",
    ],
    ids=["duplicate", "nan", "lists", "objects", "spreadsheet", "pdf", "utf-16"],
)
def test_json_that_is_none_is_refused_at_every_door_of_the_api(data: bytes, bank: Any) -> None:
    college = make_college(courses=1)
    own, program = make_own_stream(college), program_of(college.institution)
    size = operations.head_size()
    for path in (
        f"institutions/{college.institution.slug}/records",
        f"streams/{own.name}/resolve",
        "verify",
    ):
        answer = program.post(path, data, Idempotency_Key="k")
        assert answer.status_code == 400, (path, answer.content)
        assert answer.json()["code"].startswith("json-")
    assert program.post(
        f"streams/{own.name}/submissions", data, content_type=SUBMISSION
    ).status_code == 422  # fmt: skip
    nothing_was_entered(size)

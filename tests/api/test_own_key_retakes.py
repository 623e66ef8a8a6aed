"""A course taken again, and entries taken back, by an institution that signs itself."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from creditbank.ledger import queries, submit
from creditbank.ledger.audit import audit
from creditbank.ledger.numbers import parse_account
from tests.api.clients import Program, anyone, problem, program_of
from tests.api.rows import row
from tests.api.test_own_key_path import send, submit_program
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream

PASSPHRASE = b"a passphrase of the college"


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=2)


@pytest.fixture
def own(college: College, tmp_path: Path) -> OwnStream:
    stream = make_own_stream(college)
    submit.save_key(tmp_path / "key.pem", stream.key, PASSPHRASE)
    return stream


@pytest.fixture
def program(college: College) -> Program:
    return program_of(college.institution)


def resolved(program: Program, own: OwnStream, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = program.post(f"streams/{own.name}/resolve", {"rows": list(rows)})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def signed(folder: Path, own: OwnStream, rows: Any, *options: str) -> bytes:
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "catalogue.json").write_bytes(anyone().get("/api/v1/catalogue").content)
    ran = submit_program(
        folder, "prepare", "--stream", own.name, "--key", "key.pem", "--rows", "rows.json",
        "--catalogue", "catalogue.json", "--out", "submission", *options,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return (folder / "submission").read_bytes()


def entered(program: Program, own: OwnStream, data: bytes) -> dict[str, Any]:
    answer = send(program, own.name, data)
    assert answer.status_code == 201, answer.content
    receipt: dict[str, Any] = answer.json()
    return receipt


def walk(folder: Path, program: Program, own: OwnStream, *rows: dict[str, Any]) -> dict[str, Any]:
    """Resolve, sign and submit; return the first resolved row."""
    told = resolved(program, own, *rows)
    entered(program, own, signed(folder, own, told))
    first: dict[str, Any] = told["rows"][0]
    return first


def test_a_better_retake_takes_the_place_of_the_earlier_attempt(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    first = walk(tmp_path, program, own, row(college, 1, score="61", completed_on="2025-06-20"))
    again = row(college, 1, score="90", term="2025-2026-2")
    told = resolved(program, own, again)
    better = told["rows"][0]
    assert better["retake"] == "better"
    assert (first["u"][-2:], better["u"][-2:]) == ("/1", "/2")
    receipt = entered(program, own, signed(tmp_path, own, told))
    assert receipt["count"] == 2
    account = parse_account(first["account"])
    assert queries.balance([account]).available == Decimal("3.00")
    held = [(line.state, line.result.score) for line in queries.statement([account])]
    assert sorted(held) == [("entered", "90"), ("reversed", "61")]
    assert resolved(program, own, again)["rows"] == []
    assert audit().findings == []


def test_a_retake_that_is_not_better_is_entered_and_counts_nothing(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    first = walk(tmp_path, program, own, row(college, 1, score="90", completed_on="2025-06-20"))
    again = row(college, 1, score="61", term="2025-2026-2")
    told = resolved(program, own, again)
    (worse,) = told["rows"]
    assert (worse["retake"], worse["credits"], worse["reverses"]) == ("not-better", "0.00", None)
    assert worse["occurrence"] == "2025-2026-2"
    entered(program, own, signed(tmp_path, own, told))
    account = parse_account(first["account"])
    assert queries.balance([account]).available == Decimal("3.00")
    assert resolved(program, own, again)["unchanged"] != []


def test_a_third_attempt_takes_the_place_of_the_second(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    walk(tmp_path, program, own, row(college, 1, score="61", completed_on="2024-06-20"))
    walk(
        tmp_path, program, own,
        row(college, 1, score="70", completed_on="2025-06-20", term="2024-2025-2"),
    )  # fmt: skip
    third = walk(tmp_path, program, own, row(college, 1, score="90", term="2025-2026-2"))
    assert third["u"].endswith("/3")
    account = parse_account(third["account"])
    assert queries.balance([account]).available == Decimal("3.00")


def test_a_retake_beside_other_rows_keeps_their_order(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    walk(tmp_path, program, own, row(college, 1, score="61", completed_on="2025-06-20"))
    told = resolved(
        program, own, row(college, 2), row(college, 1, score="90", term="t2"), row(college, 3)
    )
    receipt = entered(program, own, signed(tmp_path, own, told))
    kinds = [
        queries.entry(index).kind.name
        for index in range(receipt["first_index"], receipt["last_index"] + 1)
    ]
    assert kinds == ["award", "award-reverse", "award", "award"]


def test_an_entry_is_taken_back_alone_by_what_its_receipt_says(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    first = walk(tmp_path, program, own, row(college, 1))
    account = parse_account(first["account"])
    (line,) = queries.statement([account])
    receipt = program.get(f"receipts/{line.index}").json()
    reversal = {
        "account": first["account"],
        "reverses": {
            "leaf": receipt["leaf_hash"],
            "quantity": int(Decimal(receipt["credits"]) * 100),
        },
        "reason": "成绩登记有误",
    }
    (tmp_path / "state.json").write_bytes(anyone().get(f"/api/v1/streams/{own.name}").content)
    entered(program, own, signed(tmp_path, own, [reversal], "--state", "state.json"))
    assert queries.balance([account]).available == Decimal(0)
    (line,) = queries.statement([account])
    assert (line.state, line.acted_reason) == ("reversed", "成绩登记有误")

    # Undone once: the second reversal is refused, and the outcome is free for the next generation.
    (tmp_path / "state.json").write_bytes(anyone().get(f"/api/v1/streams/{own.name}").content)
    data = signed(tmp_path, own, [reversal], "--state", "state.json")
    body = problem(send(program, own.name, data), 409, "acts-on-invalid")
    assert body["facts"] == {"reason": "already-undone", "row": 1}
    told = resolved(program, own, row(college, 1))
    assert told["rows"][0]["u"].endswith("/2")
    assert told["rows"][0]["reverses"] is None
    entered(program, own, signed(tmp_path, own, told))
    assert queries.balance([account]).available == Decimal("3.00")
    assert audit().findings == []


def test_what_another_stream_recorded_is_not_taken_back(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    first = walk(tmp_path, program, own, row(college, 1))
    account = parse_account(first["account"])
    receipt = college.record(college.award(account, item_row=college.items[1]))
    reversal = {
        "account": first["account"],
        "reverses": {"leaf": queries.entry(receipt.first_index).leaf_hash.hex(), "quantity": 300},
        "reason": "误",
    }
    state = anyone().get(f"/api/v1/streams/{own.name}").json()
    data = signed(
        tmp_path, own, [reversal],
        "--first", str(state["next_seq"]), "--previous", state["previous"],
    )  # fmt: skip
    body = problem(send(program, own.name, data), 409, "acts-on-invalid")
    assert (body["facts"]["reason"], body["facts"]["expected"]) == ("other-stream", college.hosted)


def test_rows_that_cannot_be_are_all_named_and_nothing_is_signed(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    told = resolved(program, own, row(college, 1), row(college, 2))
    told["rows"][0] |= {"completed_on": "2999-01-01", "credits": "2.005"}
    told["rows"][1] |= {"account": "0000-0000-0000"}
    (tmp_path / "rows.json").write_text(json.dumps(told))
    (tmp_path / "catalogue.json").write_bytes(anyone().get("/api/v1/catalogue").content)
    ran = submit_program(
        tmp_path, "prepare", "--stream", own.name, "--key", "key.pem", "--rows", "rows.json",
        "--catalogue", "catalogue.json", "--out", "submission",
    )  # fmt: skip
    assert ran.returncode == 1
    lines = ran.stderr.splitlines()
    assert [line.split("]")[0].rpartition("[")[2] for line in lines] == [
        "credits-not-hundredths",
        "date-in-future",
        "account-number-invalid",
    ]
    assert lines[0].startswith("row 1: credits='2.005' ")
    assert lines[0].endswith("(expected 0.01)")
    assert lines[2].startswith("row 2: account='0000-0000-0000' ")
    assert not (tmp_path / "submission").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--first", "-1", "--previous", "00" * 32],
        ["--first", "0", "--previous", "zz"],
        ["--first", "0"],
        ["--state", "rows.json"],
        ["--state", "nothing.json"],
    ],
)
def test_a_wrong_call_ends_with_2_and_a_sentence(
    arguments: list[str], college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    told = resolved(program, own, row(college, 1))
    (tmp_path / "rows.json").write_text(json.dumps(told["rows"]))
    (tmp_path / "catalogue.json").write_bytes(anyone().get("/api/v1/catalogue").content)
    ran = submit_program(
        tmp_path, "prepare", "--stream", own.name, "--key", "key.pem", "--rows", "rows.json",
        "--catalogue", "catalogue.json", "--out", "submission", *arguments,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "submission").exists()


def test_a_key_file_of_another_kind_is_refused(
    college: College, own: OwnStream, program: Program, tmp_path: Path
) -> None:
    told = resolved(program, own, row(college, 1))
    (tmp_path / "rows.json").write_text(json.dumps(told))
    (tmp_path / "catalogue.json").write_bytes(anyone().get("/api/v1/catalogue").content)
    (tmp_path / "key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    ran = submit_program(
        tmp_path, "prepare", "--stream", own.name, "--key", "key.pem", "--rows", "rows.json",
        "--catalogue", "catalogue.json", "--out", "submission",
    )  # fmt: skip
    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False)

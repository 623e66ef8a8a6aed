"""docs/own-key.md is run as it stands: its files, its curl lines, its commands."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.ledger import operations, queries
from creditbank.ledger.audit import audit
from learners import queries as learners
from learners.identity import DocumentType, IdentityDocument
from learners.models import Learner
from tests.api.clients import Program, program_of
from tests.api.test_own_key_path import ROOT, submit_program
from tests.institutions.cast import approve, make_institution, propose

PAGE: Final = ROOT / "docs" / "own-key.md"
STREAM: Final = "college.example/records"
PROGRAM: Final = ["python", "-m", "creditbank.ledger.submit"]
BLOCK: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Reader:
    """An engineer who does what the page says, in a folder."""

    folder: Path
    program: Program
    done: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def run(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] == "curl":
            self.curl(words[1:])
        else:
            assert words[:3] == PROGRAM, line
            ran = submit_program(self.folder, *words[3:])
            assert ran.returncode == 0, (line, ran.stderr)
            (self.folder / f"{words[3]}.out").write_text(ran.stdout)
        self.done.append(words[0])

    def curl(self, words: list[str]) -> None:
        """Send what curl would send."""
        headers: dict[str, str] = {}
        data: bytes | None = None
        out = ""
        url = words.pop()
        while words:
            option, value = words.pop(0), words.pop(0)
            if option == "-H":
                name, _, text = value.partition(": ")
                headers[name] = text.replace("$KEY", self.program.token)
            elif option == "--data-binary":
                data = (self.folder / value.removeprefix("@")).read_bytes()
            else:
                assert option == "-o", option
                out = value
        path = url.removeprefix("https://bank.example")
        content_type = headers.pop("Content-Type", "")
        client = Client(raise_request_exception=False, headers=headers)
        answer = (
            client.get(path) if data is None else client.post(path, data, content_type=content_type)
        )
        assert answer.status_code in (200, 201), (url, answer.content)
        (self.folder / out).write_bytes(answer.content)
        self.statuses.append(answer.status_code)


@pytest.fixture
def reader(bank: Any, tmp_path: Path) -> Reader:
    college = make_institution()
    institutions.grant_scope(
        institution=college, outcome_kind=OutcomeKind.COURSE, valid_from=date(2020, 1, 1)
    )
    institutions.add_stream(institution=college, name=STREAM, mode="own", acting_user=None)
    approve(propose(college, code="C001", proposed_credits=Decimal("3.00")))
    return Reader(folder=tmp_path, program=program_of(college))


def enter_key(reader: Reader) -> None:
    """What the bank does with the paper that the institution hands in."""
    key = reader.json("keygen.out")
    operations.add_key(
        stream=STREAM,
        algorithm=key["algorithm"],
        public=b64decode(key["public"]),
        possession=b64decode(key["possession"]),
    )


def holder(number: str) -> Learner:
    document = IdentityDocument(type=DocumentType.RESIDENT_ID, number=number)
    found = learners.by_identity(document)
    assert found is not None
    return found


def test_the_page_s_example_works_from_the_key_to_the_reversal(reader: Reader) -> None:
    values: dict[str, str] = {}
    people: list[str] = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        info, body = block["info"].split(), block["body"]
        if info[0] == "json":
            for name, value in values.items():
                body = body.replace(f"{{{name}}}", value)
            (reader.folder / info[1]).write_text(body)
            people = people or [row["number"] for row in json.loads(body)["rows"]]
            continue
        assert info == ["sh"]
        for line in body.splitlines():
            reader.run(line)
            if " keygen " in line:
                enter_key(reader)
            elif line.endswith("submission-2"):
                told = reader.json("rows.json")["rows"]
                assert [row["retake"] for row in told] == ["better", "not-better"]
                assert told[0]["reverses"]["quantity"] == 300
                assert told[1]["credits"] == "0.00"
                ran = submit_program(reader.folder, "show", "--entries", "submission-2")
                entries = json.loads(ran.stdout)["entries"]
                kinds = [(one["kind"], one["quantity"]) for one in entries]
                assert kinds == [("award-reverse", -300), ("award", 300), ("award", 0)]
                values = {"account": entries[1]["account"], "leaf": entries[1]["leaf"]}

    assert reader.statuses.count(201) == 3
    receipt = reader.json("receipt-3.json")
    queries.wait_until_published(receipt["size"])
    first, second = (holder(number) for number in people)
    assert queries.balance([first.account_id]).available == Decimal(0)
    assert queries.balance([second.account_id]).available == Decimal("3.00")
    grades = [line.result.score for line in queries.statement([second.account_id])]
    assert sorted(grades) == ["70", "90"]
    assert audit().findings == []


def test_the_program_s_help_names_every_member_of_a_row(tmp_path: Path) -> None:
    from creditbank.ledger import ownrows

    told = submit_program(tmp_path, "prepare", "--help").stdout
    for name in ownrows.FIELDS:
        assert name in told

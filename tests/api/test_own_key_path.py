"""POST /api/v1/streams/NAME/submissions, and the whole path of an institution that signs itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.parsers import SUBMISSION
from creditbank.institutions import operations as institutions
from creditbank.ledger import guard, operations, queries
from creditbank.ledger.operations import open_account
from creditbank.proofs import bundles, notes, signatures
from tests.api.clients import Program, anyone, problem, program_of
from tests.api.rows import row
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream

ROOT = Path(__file__).resolve().parents[2]


def submit_program(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the institution's own program: no Django settings, no database in its environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LLCB_KEY_PASSPHRASE": "a passphrase of the college",
    }
    return subprocess.run(
        [sys.executable, "-m", "creditbank.ledger.submit", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=2)


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


@pytest.fixture
def program(college: College) -> Program:
    return program_of(college.institution)


def send(program: Program, stream: str, data: bytes) -> Any:
    return program.post(f"streams/{stream}/submissions", data, content_type=SUBMISSION)


def test_from_a_new_key_to_a_receipt_whose_proof_verifies(
    college: College, program: Program, tmp_path: Path
) -> None:
    # 1. The institution makes its key; the bank enters it with the proof of possession.
    stream = f"{college.institution.slug}.example/signed"
    made = submit_program(tmp_path, "keygen", "--stream", stream, "--key", "key.pem")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    institutions.add_stream(
        institution=college.institution, name=stream, mode="own", acting_user=None
    )
    operations.add_key(
        stream=stream,
        algorithm=key["algorithm"],
        public=b64decode(key["public"]),
        possession=b64decode(key["possession"]),
    )

    # 2. It resolves whom its rows are about, over the API.
    answer = program.post(
        f"streams/{stream}/resolve",
        {"rows": [row(college, 1), row(college, 2, item=college.items[1].code, score="91.5")]},
    )
    assert answer.status_code == 200, answer.content
    resolved = answer.json()
    (tmp_path / "rows.json").write_text(json.dumps(resolved))
    (tmp_path / "catalogue.json").write_bytes(anyone().get("/api/v1/catalogue").content)
    state = anyone().get(f"/api/v1/streams/{stream}").json()
    assert (state["next_seq"], state["previous"]) == (resolved["next_seq"], resolved["previous"])

    # 3. It prepares and signs offline.
    prepared = submit_program(
        tmp_path, "prepare", "--stream", stream, "--key", "key.pem", "--rows", "rows.json",
        "--catalogue", "catalogue.json", "--first", str(state["next_seq"]),
        "--previous", state["previous"], "--out", "submission",
    )  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr

    # 4. It submits, and again, as after a lost answer.
    data = (tmp_path / "submission").read_bytes()
    first = send(program, stream, data)
    assert first.status_code == 201, first.content
    receipt = first.json()
    assert receipt["published"] is True
    assert receipt["count"] == 2
    assert first["Location"] == f"/api/v1/receipts/{receipt['first_index']}"
    assert send(program, stream, data).json() == receipt
    after = anyone().get(f"/api/v1/streams/{stream}").json()
    assert (after["next_seq"], after["previous"]) == (2, receipt["root"])

    # 5. It fetches the proof, and checks it with the keys that it pins.
    found = program.get(f"receipts/{receipt['last_index']}").json()
    assert found["receipt"] == receipt
    assert found["credits"] == "3.00"
    log = anyone().get("/api/v1/log").json()
    verified = bundles.verify(
        bundle=bundles.ProofBundle.parse(found["proof"].encode()),
        log_key=notes.NoteKey.parse_vkey(log["log_vkey"]),
        cosigners=[notes.NoteKey.parse_vkey(vkey) for vkey in log["cosigner_vkeys"]],
        stream_keys=lambda name, index: [
            signatures.verifier(key["algorithm"], b64decode(key["public"]))
        ],
    )
    assert verified.index == receipt["last_index"]
    assert verified.disclosure is not None
    result = verified.disclosure.part("result")
    assert result is not None
    assert result["score"] == "91.5"

    # 6. Asked again, the bank says that it holds these.
    again = program.post(f"streams/{stream}/resolve", {"rows": [row(college, 1)]}).json()
    assert again["rows"] == []
    assert again["unchanged"][0]["index"] == receipt["first_index"]


def test_other_content_under_a_used_number_is_a_fork(
    college: College, own: OwnStream, program: Program
) -> None:
    first = own.prepare(college.award(open_account()))
    assert send(program, own.name, first).status_code == 201
    other = own.prepare(college.award(open_account()))
    body = problem(send(program, own.name, other), 409, "stream-forked")
    assert body["facts"]["next_seq"] == 1


def test_a_gap_is_refused_and_names_the_next_number(
    college: College, own: OwnStream, program: Program
) -> None:
    data = own.prepare(college.award(open_account()), first=5)
    assert problem(send(program, own.name, data), 409, "stream-gap")["facts"] == {
        "first": 5,
        "next_seq": 0,
        "stream": own.name,
    }


def test_a_stale_previous_root_is_refused_with_the_right_one(
    college: College, own: OwnStream, program: Program
) -> None:
    own.submit(own.prepare(college.award(open_account())))
    data = own.prepare(college.award(open_account()), previous=bytes(32))
    facts = problem(send(program, own.name, data), 409, "stale-previous-root")["facts"]
    assert facts["expected"] == own.previous.hex()


def test_a_duplicate_outcome_is_refused_with_its_rows(
    college: College, own: OwnStream, program: Program
) -> None:
    account = open_account()
    own.submit(own.prepare(college.award(account)))
    data = own.prepare(college.award(open_account()), college.award(account))
    assert problem(send(program, own.name, data), 409, "duplicate-outcome")["facts"]["rows"] == [2]


def test_another_key_signs_nothing(college: College, own: OwnStream, program: Program) -> None:
    data = own.prepare(college.award(open_account()), signer=signatures.generate("Ed25519"))
    problem(send(program, own.name, data), 422, "key-not-in-force")


def test_a_retired_key_signs_nothing(college: College, own: OwnStream, program: Program) -> None:
    operations.retire_key(stream=own.name, public=own.key.public)
    data = own.prepare(college.award(open_account()))
    problem(send(program, own.name, data), 422, "key-not-in-force")


def test_all_rows_that_cannot_be_are_told_at_once(
    college: College, own: OwnStream, program: Program
) -> None:
    data = own.prepare(
        college.award(open_account(), title="另一个名称"),
        college.award(open_account()),
        college.award(12345),
    )
    body = problem(send(program, own.name, data), 422, "submission-refused")
    assert 1 in {one["row"] for one in body["problems"]}
    assert own.first == 0


def test_a_submission_to_another_stream_is_refused(
    college: College, own: OwnStream, program: Program
) -> None:
    other = make_own_stream(college, suffix="other")
    data = other.prepare(college.award(open_account()))
    assert problem(send(program, own.name, data), 422, "submission-stream")["facts"]["found"] == (
        other.name
    )


def test_another_institutions_stream_is_not_found(college: College, own: OwnStream) -> None:
    stranger = program_of(make_college(courses=1).institution)
    data = own.prepare(college.award(open_account()))
    problem(send(stranger, own.name, data), 404, "not-found")


def test_a_hosted_stream_takes_no_submissions(college: College, program: Program) -> None:
    own = OwnStream(name=college.hosted, key=signatures.generate("Ed25519"))
    data = own.prepare(college.award(open_account()))
    problem(send(program, college.hosted, data), 409, "stream-mode")


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"{}", b"llcb/submission/v1 99999\n", b"llcb/submission/v1 3\nabc", b"\xff" * 99],
)
def test_bytes_that_are_no_submission_are_refused(
    data: bytes, own: OwnStream, program: Program
) -> None:
    problem(send(program, own.name, data), 422, "submission-malformed")


def test_a_changed_byte_anywhere_is_refused(
    college: College, own: OwnStream, program: Program
) -> None:
    data = own.prepare(college.award(open_account()))
    for place in range(0, len(data), max(1, len(data) // 12)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        answer = send(program, own.name, changed)
        assert 400 <= answer.status_code < 500, (place, answer.content)
    assert send(program, own.name, data).status_code == 201


def test_json_is_not_a_submission(own: OwnStream, program: Program) -> None:
    answer = program.post(f"streams/{own.name}/submissions", {"rows": []})
    problem(answer, 415, "media-type-unsupported")


def test_while_the_signer_is_away_a_submission_is_recorded_and_its_receipt_comes_later(
    college: College, own: OwnStream, program: Program, bank: Any
) -> None:
    data = own.prepare(college.award(open_account()))
    bank.stop()
    answer = send(program, own.name, data)
    assert answer.status_code == 202, answer.content
    receipt = answer.json()
    assert receipt["published"] is False
    waiting = program.get(f"receipts/{receipt['first_index']}")
    assert problem(waiting, 503, "not-yet-published")["incident"]
    assert waiting["Retry-After"] == "5"
    bank.start()
    queries.wait_until_published(receipt["size"])
    assert send(program, own.name, data).json() == receipt | {"published": True}
    assert program.get(f"receipts/{receipt['first_index']}").status_code == 200


def test_while_the_register_is_read_only_a_submission_can_only_come_back(
    college: College, own: OwnStream, program: Program, db: Any
) -> None:
    data = own.prepare(college.award(open_account()))
    trigger = "TRIGGER ledger_entry_unchanged"
    with psycopg.connect(db.superuser_url, autocommit=True) as session:
        session.execute(f"ALTER TABLE ledger_entry DISABLE {trigger}".encode())
        guard.check()
        answer = send(program, own.name, data)
        found = problem(answer, 503, "ledger-read-only")
        assert answer["Retry-After"]
        assert "facts" not in found
        assert trigger not in answer.content.decode()
        session.execute(f"ALTER TABLE ledger_entry ENABLE ALWAYS {trigger}".encode())
        guard.check()
    assert send(program, own.name, data).status_code in (200, 201)

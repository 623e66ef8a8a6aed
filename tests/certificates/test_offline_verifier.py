"""The offline verifier: one command, no network, no database, no Django."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from creditbank import trust
from tests.certificates import forgeries
from tests.certificates.bank import ISSUED_ON, Bank, genuine

ROOT = Path(__file__).resolve().parent.parent.parent
ALONE = """
import runpy, socket, sys

def refused(*arguments, **names):
    raise AssertionError("the verifier reached for the network")

socket.socket.connect = refused
socket.create_connection = refused
socket.getaddrinfo = refused
sys.argv = ["certificates.verify", *sys.argv[1:]]
try:
    runpy.run_module("certificates.verify", run_name="__main__", alter_sys=True)
finally:
    reached = {name.partition(".")[0] for name in sys.modules}
    assert not reached & {"django", "psycopg", "celery", "redis"}, reached
"""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = genuine()
    place = tmp_path_factory.mktemp("offline")
    (place / "transcript.pdf").write_bytes(made.pdf)
    (place / "transcript.json").write_bytes(made.json)
    (place / "trust.json").write_bytes(made.bank.trust_wire())
    (place / "status.json").write_bytes(made.bank.status_wire())
    (place / "altered.pdf").write_bytes(forgeries.digit_changed_on_the_page(made))
    (place / "altered.json").write_bytes(forgeries.score_changed(made))
    (place / "picture.png").write_bytes(forgeries.picture(made))
    (place / "stranger.json").write_bytes(Bank("stranger").trust_wire())
    return place


def verify(folder: Path, *arguments: str) -> Answer:
    """Run the verifier in a process of its own, without settings and without a way out."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("file", ["transcript.pdf", "transcript.json"])
def test_with_a_status_file_it_ends_with_0(folder: Path, file: str) -> None:
    answer = verify(folder, file, "--trust", "trust.json", "--status", "status.json")

    assert answer.code == 0, answer
    assert answer.out.startswith("V-OK  有效 / Valid")
    assert answer.err == ""


def test_without_a_status_file_it_says_so_and_ends_with_2(folder: Path) -> None:
    answer = verify(folder, "transcript.pdf", "--trust", "trust.json")

    assert answer.code == 2, answer
    assert answer.out.startswith("V-UNAVAILABLE")
    assert "? 5 当前状态 / Present status" in answer.out
    assert "✓ 4 " in answer.out


@pytest.mark.parametrize(
    ("file", "field"), [("altered.pdf", "第 2 项 学分"), ("altered.json", "第 1 项 分数")]
)
def test_an_altered_file_ends_with_1_and_the_field_named(
    folder: Path, file: str, field: str
) -> None:
    answer = verify(folder, file, "--trust", "trust.json", "--status", "status.json")

    assert answer.code == 1, answer
    assert answer.out.startswith("V-TAMPERED")
    assert field in answer.out


def test_a_file_of_another_kind_ends_with_3(folder: Path) -> None:
    answer = verify(folder, "picture.png", "--trust", "trust.json")

    assert answer.code == 3, answer
    assert answer.out.startswith("V-WRONGFILE")


def test_a_report_for_programs_is_json(folder: Path) -> None:
    answer = verify(folder, "altered.json", "--trust", "trust.json", "--json")

    report = json.loads(answer.out)
    assert report["code"] == "V-TAMPERED"
    assert report["differences"][0]["field"] == "score"


def test_a_date_may_be_asked_about(folder: Path) -> None:
    answer = verify(
        folder,
        "transcript.json",
        "--trust",
        "trust.json",
        "--status",
        "status.json",
        "--at",
        ISSUED_ON.replace(year=ISSUED_ON.year + 20).isoformat(),
    )

    assert answer.code == 0, answer
    assert answer.out.startswith("V-NOTE-EXPIRED")


def test_the_trust_list_may_be_pinned_to_a_key(folder: Path) -> None:
    key = genuine().bank.method.partition("#")[2]
    other = trust.verification_method("x", Bank("stranger").document.public).partition("#")[2]
    asked = ("transcript.json", "--trust", "trust.json", "--status", "status.json", "--pin")

    assert verify(folder, *asked, key).code == 0
    refused = verify(folder, *asked, other)
    assert (refused.code, refused.out) == (3, "")
    assert "document key" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("transcript.json",),
        ("missing.json", "--trust", "trust.json"),
        ("transcript.json", "--trust", "missing.json"),
        ("transcript.json", "--trust", "transcript.json"),
        ("transcript.json", "--trust", "trust.json", "--status", "trust.json"),
        ("transcript.json", "--trust", "stranger.json", "--status", "status.json"),
        ("transcript.json", "--trust", "trust.json", "--at", "yesterday"),
        ("transcript.json", "--trust", "trust.json", "--pin", "z0"),
    ],
)
def test_wrong_usage_ends_with_3_and_never_as_a_verdict(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    answer = verify(folder, *arguments)

    assert answer.code == 3, answer
    assert answer.out == ""
    assert answer.err
    assert "Traceback" not in answer.err


def test_a_strangers_trust_list_makes_the_transcript_a_strangers(folder: Path) -> None:
    answer = verify(folder, "transcript.json", "--trust", "stranger.json")

    assert answer.code == 1, answer
    assert answer.out.startswith("V-FORGED")

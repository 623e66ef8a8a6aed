"""Files of strangers are read in a process apart: it has limits, holds no secrets, and recovers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from certificates import isolated, queries, trustlist
from creditbank.clock import today
from tests.certificates.holders import Holder, make_holder


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=1)


def look(file: bytes, **changes: Any) -> isolated.Answer:
    lists = trustlist.signed_lists()
    facts: dict[str, Any] = {"trust": lists.trust, "status": lists.status, "at": today()} | changes
    return isolated.verify(file, **facts)


def process() -> subprocess.Popen[bytes]:
    running = isolated._verifier._process
    assert running is not None
    return running


def test_the_answer_is_the_verifiers_own(holder: Holder) -> None:
    transcript = holder.issue()
    answer = look(queries.pdf(transcript))
    assert answer.report["code"] == "V-OK"
    assert answer.report["number"] == transcript.number
    assert answer.token == queries.verify_token(transcript)


def test_one_process_serves_many_files_and_outlives_bad_ones(holder: Holder) -> None:
    file = queries.json(holder.issue())
    look(file)
    first = process().pid
    assert look(b"%PDF-1.7 nothing").report["code"] == "V-WRONGFILE"
    assert look(file).report["code"] == "V-OK"
    assert process().pid == first


def test_the_token_is_found_in_a_file_whose_values_cannot_be_read(holder: Holder) -> None:
    transcript = holder.issue()
    broken = queries.json(transcript).replace(b'"ClrSubject"', b'"ClrSubjects"', 1)
    answer = look(broken)
    assert answer.report["code"] == "V-TAMPERED"
    assert answer.token == queries.verify_token(transcript)


def test_the_process_knows_no_address_and_no_secret(holder: Holder) -> None:
    look(b"{}")
    environment = Path(f"/proc/{process().pid}/environ").read_bytes()
    for name in (b"DATABASE_URL", b"REDIS_URL", b"BANK_HOME", b"SECRET"):
        assert name not in environment
    handles = Path(f"/proc/{process().pid}/fd")
    targets = [os.readlink(handle) for handle in handles.iterdir()]
    assert not [target for target in targets if target.startswith("socket:")]


@pytest.mark.parametrize("hunger", ["time", "memory"])
def test_a_file_that_takes_too_much_is_given_up_and_the_next_is_read(
    holder: Holder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hunger: str
) -> None:
    """A verifier that loops or swells stands in for a parser that a file leads into that."""
    file = queries.json(holder.issue())
    action = "while True: pass" if hunger == "time" else "bytearray(8 << 30)"
    script = tmp_path / "hungry.py"
    script.write_text(
        "import sys\n"
        "from certificates import isolated\n"
        "isolated.CPU_SECONDS = 1\n"
        "look = isolated._look\n"
        "def hungry(file, *arguments):\n"
        "    if file == b'hungry':\n"
        f"        {action}\n"
        "    return look(file, *arguments)\n"
        "isolated._look = hungry\n"
        "sys.exit(isolated.main())\n"
    )
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return popen([command[0], str(script)], **options)

    isolated.close()
    monkeypatch.setattr(isolated.subprocess, "Popen", start)
    try:
        with pytest.raises(isolated.FileUnreadable):
            look(b"hungry")
        assert look(file).report["code"] == "V-OK"
    finally:
        isolated.close()


def test_a_verifier_that_was_killed_is_started_again(holder: Holder) -> None:
    file = queries.json(holder.issue())
    look(file)
    process().kill()
    process().wait()
    assert look(file).report["code"] == "V-OK"


def test_a_verifier_that_went_home_for_want_of_work_is_started_again(
    holder: Holder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = queries.json(holder.issue())
    script = tmp_path / "idle.py"
    script.write_text(
        "import sys\n"
        "from certificates import isolated\n"
        "isolated.IDLE_SECONDS = 0.2\n"
        "sys.exit(isolated.main())\n"
    )
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return popen([command[0], str(script)], **options)

    isolated.close()
    monkeypatch.setattr(isolated.subprocess, "Popen", start)
    try:
        assert look(file).report["code"] == "V-OK"
        first = process()
        assert first.wait(20) == 0
        monkeypatch.undo()
        assert look(file).report["code"] == "V-OK"
        assert process().pid != first.pid
    finally:
        isolated.close()


def test_a_list_that_cannot_be_believed_judges_nothing(holder: Holder) -> None:
    file = queries.json(holder.issue())
    with pytest.raises(isolated.VerifierBusy):
        look(file, trust=trustlist.build_trust_list().replace(b"bank.example", b"bank.invalid"))
    assert look(file).report["code"] == "V-OK"

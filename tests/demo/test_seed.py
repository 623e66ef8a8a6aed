"""Seeding a fresh database: what stands in it afterwards, and what a second run does."""

from __future__ import annotations

import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from certificates.models import Transcript, TranscriptState
from creditbank.demo import outcomes, seed
from creditbank.demo.cast import COLLEGE, INSTITUTIONS, RECORDING, TRAINER
from creditbank.demo.people import LEARNER, NEWCOMER, WAITING
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import CatalogueItem
from creditbank.jobs import outbox, progress
from creditbank.jobs.models import JobState, Outbox, OutboxState
from creditbank.ledger import queries as ledger
from creditbank.ledger.audit import audit
from creditbank.recording import queries as drafts
from creditbank.recording.models import DraftState, Upload
from creditbank.users.models import User
from learners import operations, proofs, queries
from learners.models import ClaimCode, Learner
from tests.demo import recognised
from tests.demo.conftest import StartSeed

AWARDS = sum(len(outcomes.lines_of(one.slug)) for one in RECORDING) + len(outcomes.retakes())
REVERSALS = len(outcomes.mistaken()) + 3
"""Those of wrong people, one retake, and two courses that had been recognised."""
EXPIRIES = 1


def entries_by_kind() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT convert_from(leaf, 'UTF8')::json->>'k', count(*) FROM ledger_entry GROUP BY 1"
        )
        return {str(kind): int(count) for kind, count in cursor.fetchall()}


def rows_by_table() -> dict[str, int]:
    """How many rows every table of the bank has, sessions and the like left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'keys')"
        )
        counts = {}
        for schema, name in cursor.fetchall():
            if not name.startswith(("django_", "auth_")):
                cursor.execute(f'SELECT count(*) FROM "{schema}"."{name}"')
                counts[name] = int(cursor.fetchone()[0])
        return counts


def passwords(folder: Path) -> dict[str, str]:
    text = (folder / "accounts.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^  ([a-z-]+) +(\S+)  # ", text, re.MULTILINE))


def claim_codes(folder: Path) -> list[tuple[str, str]]:
    return re.findall(
        r"^  (.+?)  ((?:[0-9A-Z]{4}-){6}[0-9A-Z]{4})  #",
        (folder / "accounts.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )


def is_whole() -> None:
    """Everything that was promised stands in the database, and all of it can be proved."""
    kinds = entries_by_kind()
    assert (kinds["award"], kinds["award-reverse"], kinds["expire"]) == (
        AWARDS,
        REVERSALS,
        EXPIRIES,
    )
    assert sum(kinds.values()) >= 1_500
    assert {one.slug for one in institutions.institutions()} == {one.slug for one in INSTITUTIONS}
    assert Learner.objects.count() == 61
    report = audit()
    assert report.findings == []
    assert report.entries == sum(kinds.values())


def test_a_fresh_database_is_filled_once(bank_home: Path, signer: Any, demo_folder: Path) -> None:
    told: list[str] = []
    assert seed.seed(demo_folder, told.append)
    outbox.run_due()
    is_whole()
    assert Outbox.objects.exclude(state=OutboxState.DONE).filter(tries__gt=0).count() == 0
    _job_is_done(told)
    _files_were_handed_in(demo_folder)
    _catalogue_is_approved()
    _learner_has_everything()
    _others_wait(demo_folder)
    _work_is_left_for_the_reviewer()
    _accounts_open(demo_folder)
    recognised.everything_is_there(demo_folder)

    rows, file = rows_by_table(), (demo_folder / "accounts.txt").read_bytes()
    steps = list(told)
    assert not seed.seed(demo_folder, told.append)
    assert told == steps
    assert rows_by_table() == rows
    assert (demo_folder / "accounts.txt").read_bytes() == file

    (demo_folder / "accounts.txt").unlink()
    assert not seed.seed(demo_folder, told.append)
    _accounts_open(demo_folder)
    _others_wait(demo_folder)
    _a_visitor_claims(demo_folder)
    _recognition_is_done_once(demo_folder)
    recognised.the_next_version_gives_the_classmate_less()


def _recognition_is_done_once(folder: Path) -> None:
    """Each step of it can be done again and changes nothing."""
    rows = rows_by_table()
    names = ("programmes", "rules", "goals", "requests", "decisions", "appeals", "pre-approvals")
    again = seed.Seeding(folder)
    steps = {step.text_en: step for step in again.steps}
    for name in (*names, "a source reversed", "decision files"):
        steps[name].run()
        assert rows_by_table() == rows, name


def _job_is_done(told: list[str]) -> None:
    job = progress.newest(seed.KIND)
    assert job is not None
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, len(told), len(told))


def _files_were_handed_in(folder: Path) -> None:
    upload = Upload.objects.get()
    assert upload.institution.slug == COLLEGE
    assert upload.new == upload.total == len(outcomes.lines_of(COLLEGE))
    assert (folder / "files" / drafts.file_name(upload)).read_bytes().startswith(b"PK")
    certificates = next((folder / "files").glob("*.csv")).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        certificates.decode()
    assert "王𪟝" in certificates.decode("gb18030") or "李龑" in certificates.decode("gb18030")
    own = folder / "files" / "苇荡职业培训中心"
    sent = (own / "submission-0").read_bytes()
    assert sent.startswith(b"llcb/submission/v1 ")
    assert b"ENCRYPTED PRIVATE KEY" in (own / "key.pem").read_bytes()
    (stream,) = institutions.streams(institutions.institution(TRAINER))
    assert stream.mode == "own"
    (manifest,) = drafts.receipts(institutions.institution(TRAINER))
    assert bytes(manifest.note) in sent
    assert manifest.n == len(outcomes.lines_of(TRAINER))


def _catalogue_is_approved() -> None:
    items = CatalogueItem.objects.all()
    assert {item.kind for item in items} == set(OutcomeKind)
    assert {item.status for item in items} == {"approved"}
    assert all(item.proposed_by_id != item.approved_by_id for item in items)


def _learner_has_everything() -> None:
    learner = queries.by_identity(LEARNER.document)
    assert learner is not None
    lines = ledger.statement(queries.accounts_of(learner))
    awarded = [line for line in lines if line.outcome is not None]
    assert {line.outcome.kind for line in awarded if line.outcome} == set(OutcomeKind)
    assert {line.state for line in awarded} == {"entered", "reversed", "expired"}
    retaken = [
        (line.state, line.result.score)
        for line in awarded
        if line.outcome and line.outcome.item == outcomes.RETAKEN.code
    ]
    assert sorted(state for state, _ in retaken) == ["entered", "reversed"]
    assert ("entered", "99") in retaken
    states = Transcript.objects.filter(learner=learner).values_list("state", flat=True)
    assert sorted(states) == [TranscriptState.ISSUED, TranscriptState.SUPERSEDED]


def _others_wait(folder: Path) -> None:
    codes = claim_codes(folder)
    assert [name for name, _ in codes] == [person.name for person in WAITING]
    for (_, code), person in zip(codes, WAITING, strict=True):
        held = ClaimCode.objects.get(digest=proofs.code_digest(code))
        assert held.learner == queries.by_identity(person.document)
        assert held.learner.is_waiting
        assert (held.used_at, held.replaced_at) == (None, None)


def _a_visitor_claims(folder: Path) -> None:
    visitor = User.objects.get(username="visitor")
    learner = operations.claim(user=visitor, code=claim_codes(folder)[0][1])
    assert queries.display_name(learner) == WAITING[0].name
    assert ledger.statement(queries.accounts_of(learner)) != []


def _work_is_left_for_the_reviewer() -> None:
    (draft,) = drafts.waiting_for(
        institutions.institution(COLLEGE), User.objects.get(username="reviewer")
    )
    assert (draft.state, draft.rows) == (DraftState.SUBMITTED, 6)


def _accounts_open(folder: Path) -> None:
    assert stat.S_IMODE((folder / "accounts.txt").stat().st_mode) == 0o600
    held = passwords(folder)
    assert held.keys() == {
        "learner",
        "classmate",
        "newcomer",
        "clerk",
        "reviewer",
        "admin",
        "authority",
        "nanpu-clerk",
        "nanpu-reviewer",
        "nanpu-admin",
        "visitor",
    }
    for name, password in held.items():
        assert User.objects.get(username=name).check_password(password)
    newcomer = queries.by_identity(NEWCOMER.document)
    assert newcomer is not None
    assert newcomer.user == User.objects.get(username="newcomer")
    assert ledger.statement(queries.accounts_of(newcomer)) == []
    usable = Counter(user.has_usable_password() for user in User.objects.all())
    assert usable[True] == len(held)


def test_a_run_that_was_killed_is_taken_up_where_it_was(signer: Any, start_seed: StartSeed) -> None:
    before = 0
    for step in (10, 22, 28, 31):
        with start_seed() as killed:
            assert killed.stdout is not None
            told = []
            for line in killed.stdout:
                told.append(int(line[1:3]))
                if told[-1] == step:
                    break
            killed.kill()
        # Nothing that was done is done again: the first line is the step of the kill or a later one.
        assert before <= told[0] <= told[-1] == step
        before = step
        job = progress.newest(seed.KIND)
        assert job is not None
        assert job.state == JobState.RUNNING

    with start_seed() as again:
        output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output
    assert int(output[1:3]) >= before
    is_whole()
    recognised.requests_are_in_every_state()
    recognised.one_was_decided_without_anybody()
    recognised.two_rest_on_what_fell()
    assert progress.newest(seed.KIND) is not None
    assert (
        drafts.waiting_for(
            institutions.institution(COLLEGE), User.objects.get(username="reviewer")
        ).count()
        == 1
    )


def test_two_runs_at_once_are_one(signer: Any, start_seed: StartSeed) -> None:
    with start_seed() as first:
        assert first.stdout is not None
        first.stdout.readline()
        with start_seed() as second:
            output, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "already-seeding" in output
        first.kill()


def test_a_step_that_fails_is_told_and_tried_again(
    bank_home: Path, db: Any, demo_folder: Path
) -> None:
    """Without a signer nothing can be entered."""
    with pytest.raises(CommandError):
        call_command("seed", folder=demo_folder)
    job = progress.newest(seed.KIND)
    assert job is not None
    assert (job.state, job.done) == (JobState.FAILED, 0)
    assert job.error_code


def test_a_bank_that_is_no_demo_is_never_seeded(db: Any, tmp_path: Path, settings: Any) -> None:
    settings.BANK_DEMO = False
    with pytest.raises(CommandError, match="BANK_DEMO"):
        call_command("seed", folder=tmp_path / "demo")
    assert not (tmp_path / "demo").exists()

"""Revoking a transcript, and issuing a corrected version in its place."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from certificates import operations, trustlist
from certificates.models import Revoking, Transcript
from certificates.sealing import Secrets, seal, unseal
from creditbank.jobs import outbox
from creditbank.ledger import events, learnerkeys
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.audit import audit
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.sealing import SealBroken
from learners.operations import forget_learner
from tests.certificates.holders import Holder, make_holder


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


def revoke(transcript: Transcript, **changes: Any) -> Any:
    facts: dict[str, Any] = {
        "transcript": transcript,
        "reason": Revoking.HOLDER,
        "acting_user": None,
    } | changes
    return operations.revoke_transcript(**facts)


def publish() -> None:
    entries.wait_until_published(ledger.head_size())


def test_a_revocation_names_the_registration_and_its_reason(holder: Holder) -> None:
    transcript = holder.issue()
    receipt = revoke(transcript)
    assert (transcript.state, transcript.revoked_for) == ("revoked", "holder-request")
    assert transcript.revoked_index == receipt.first_index
    view = entries.entry(receipt.first_index)
    registration = entries.entry(transcript.register_index or 0)
    assert view.acts_on == registration.leaf_hash
    core = json.loads(view.opening().split(b"\t")[0])
    assert core["number"] == transcript.number
    assert core["reason"] == "holder-request"
    assert audit().findings == []


def test_revoking_twice_enters_once_and_keeps_the_first_reason(holder: Holder) -> None:
    transcript = holder.issue()
    first = revoke(transcript)
    assert revoke(transcript, reason=Revoking.CONTENT) == first
    assert transcript.revoked_for == "holder-request"
    assert ledger.head_size() == first.size


def test_a_revocation_whose_row_was_lost_in_a_crash_is_found_in_the_register(
    holder: Holder,
) -> None:
    transcript = holder.issue()
    first = revoke(transcript)
    Transcript.objects.filter(pk=transcript.pk).update(
        state="issued", revoked_index=None, revoked_for=""
    )
    assert revoke(transcript, reason=Revoking.CONTENT).first_index == first.first_index
    assert (transcript.state, transcript.revoked_for) == ("revoked", "holder-request")


def test_the_bank_revokes_by_number_from_the_command_line(holder: Holder) -> None:
    transcript = holder.issue()
    call_command(
        "revoke_transcript",
        transcript.number.lower(),
        "--reason",
        "identity-error",
        stdout=StringIO(),
    )
    transcript.refresh_from_db()
    assert (transcript.state, transcript.revoked_for) == ("revoked", "identity-error")
    for number, reason in (("ABCD", "content-error"), (transcript.number, "superseded")):
        with pytest.raises(CommandError):
            call_command("revoke_transcript", number, "--reason", reason)


def test_a_reason_outside_the_published_list_is_refused(holder: Holder) -> None:
    transcript = holder.issue()
    size = ledger.head_size()
    with pytest.raises(ValueError, match="张某"):
        revoke(transcript, reason="张某要求")
    assert ledger.head_size() == size


def test_what_was_never_issued_cannot_be_revoked_or_superseded(holder: Holder) -> None:
    transcript = holder.request()
    with pytest.raises(operations.NotIssued):
        revoke(transcript)
    outbox.run_due()
    transcript.refresh_from_db()
    revoke(transcript)
    with pytest.raises(operations.NotIssued):
        operations.supersede_transcript(transcript=transcript, acting_user=None)


def test_the_old_version_stays_in_force_until_the_new_one_is_issued(holder: Holder) -> None:
    old = holder.issue()
    new = operations.supersede_transcript(transcript=old, acting_user=None)
    old.refresh_from_db()
    assert (old.state, old.successor) == ("issued", new)
    assert operations.supersede_transcript(transcript=old, acting_user=None) == new
    outbox.run_due()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, old.revoked_for, new.state) == ("superseded", "superseded", "issued")
    publish()
    found = events.published().revocation_of_number[old.number]
    assert found.successor == new.number
    assert (old.revoked_index or 0) > (new.register_index or 0)


def test_a_crash_between_issuing_and_superseding_is_made_good(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = holder.issue()
    new = operations.supersede_transcript(transcript=old, acting_user=None)

    def die(transcript: Transcript) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(operations, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            operations.issue_transcript(new.pk)
    old.refresh_from_db()
    assert old.state == "issued"
    operations.issue_transcript(new.pk)
    old.refresh_from_db()
    assert old.state == "superseded"


def test_another_request_under_way_has_to_end_first(holder: Holder) -> None:
    old = holder.issue()
    holder.request()
    with pytest.raises(operations.AtWork):
        operations.supersede_transcript(transcript=old, acting_user=None)


def test_the_status_of_each_size_says_what_was_true_there(holder: Holder) -> None:
    transcript = holder.issue()
    before = trustlist.published_size()
    revoke(transcript)
    ledger.reverse_entry(index=holder.indexes()[0], reason="误录")
    publish()
    digest = bytes(transcript.digest or b"")
    assert trustlist.status(before).revoked == {}
    assert trustlist.status(before).reversed == {}
    now = trustlist.status(trustlist.published_size())
    assert now.revoked[digest].reason == "holder-request"
    ((leaf, reversal),) = now.reversed.items()
    lines = entries.statement([holder.learner.account_id])
    assert leaf == next(line.leaf_hash for line in lines if line.state == "reversed")
    assert reversal.reason == "reversed"


def test_forgetting_the_learner_makes_every_sealed_column_unreadable(holder: Holder) -> None:
    transcript = holder.issue()
    assert Secrets.of(transcript).indexes is None
    forget_learner(holder.learner)
    transcript.refresh_from_db()
    for column in ("secrets_sealed", "draft_sealed", "json_sealed", "pdf_sealed"):
        with pytest.raises(PersonForgotten):
            unseal(transcript, column)
    assert learnerkeys.keys_of([transcript.account_id]) == {}
    assert audit().findings == []


def test_a_sealed_column_opens_in_its_own_place_alone(holder: Holder) -> None:
    transcript, other = holder.issue(), holder.issue()
    sealed = seal(transcript, "json_sealed", b"{}")
    transcript.json_sealed = sealed
    assert unseal(transcript, "json_sealed") == b"{}"
    transcript.pdf_sealed = sealed
    with pytest.raises(SealBroken):
        unseal(transcript, "pdf_sealed")
    other.json_sealed = sealed
    with pytest.raises(SealBroken):
        unseal(other, "json_sealed")


def test_a_learner_forgotten_while_a_transcript_is_made_gets_none(holder: Holder) -> None:
    transcript = holder.request()
    forget_learner(holder.learner)
    outbox.run_due()
    transcript.refresh_from_db()
    assert transcript.state == "failed"
    assert transcript.job is not None
    assert transcript.job.error_code == "person-forgotten"

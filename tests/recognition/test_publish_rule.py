"""Publishing: two persons, one entry, and what was published stands."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from creditbank import access
from creditbank.clock import now
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.jobs import outbox
from creditbank.jobs.models import Outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.proofs import commitments
from creditbank.recognition.models import RuleVersion, VersionStatus
from creditbank.recognition.register import publishing
from creditbank.recognition.register.checking import DocumentRefused
from creditbank.securitylog.models import SecurityEvent
from tests.institutions.cast import make_member, make_user
from tests.ledger.cast import make_own_stream
from tests.recognition.shelf import Shelf, make_authority, make_shelf


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


def publish(shelf: Shelf, row: RuleVersion, **changes: Any) -> RuleVersion:
    return publishing.publish_rule(rule=row, acting_user=changes.get("by", shelf.reviewer))


def test_a_published_version_stands_in_the_log_with_its_digest(shelf: Shelf) -> None:
    row = shelf.publish(code="R-1", in_force={"from": "2026-03-01", "until": "2027-02-28"})
    assert row.status == VersionStatus.PUBLISHED
    assert row.published_by == shelf.reviewer
    assert row.entry_index is not None
    entry = entries.entry(row.entry_index)
    assert entry.kind.name == "rule-publish"
    assert entry.stream == shelf.institution.streams.get().name
    core = json.loads(commitments.split(entry.opening())[0])
    assert core["code"] == "R-1"
    assert core["version"] == 1
    assert core["from"] == "2026-03-01"
    assert core["until"] == "2027-02-28"
    assert base64.b64decode(core["digest"]) == bytes(row.digest) == row.parsed().digest


def test_a_programme_is_published_the_same_way(shelf: Shelf) -> None:
    row = shelf.publish_programme(code="P-1")
    assert row.entry_index is not None
    core = json.loads(commitments.split(entries.entry(row.entry_index).opening())[0])
    assert core["schema"] == "llcb/programme/v1"


def test_who_prepared_it_does_not_publish_it(shelf: Shelf) -> None:
    made = make_member(shelf.institution, Role.REVIEWER, serial=17).user
    by_reviewer = publishing.prepare_rule(
        institution=shelf.institution,
        document=json.dumps(shelf.rule()).encode(),
        acting_user=made,
    )
    by_reviewer = publishing.file_rule(rule=by_reviewer, acting_user=shelf.clerk)
    with pytest.raises(access.SamePerson):
        publish(shelf, by_reviewer, by=made)
    assert publish(shelf, by_reviewer).is_published


def test_two_users_of_one_person_are_one(shelf: Shelf) -> None:
    row = shelf.filed()
    other_user = make_user()
    authority = make_authority()
    institutions.add_member(
        institution=authority.institution,
        user=other_user,
        role=Role.REVIEWER,
        acting_user=None,
        person_digest=bytes(shelf.clerk.person_digest or b""),
    )
    with pytest.raises(access.SamePerson):
        publish(shelf, row, by=other_user)


def test_a_publisher_whose_document_nobody_saw_does_not_count(shelf: Shelf) -> None:
    unseen = make_member(shelf.institution, Role.REVIEWER).user
    with pytest.raises(access.PersonUnknown):
        publish(shelf, shelf.filed(), by=unseen)


def test_the_authority_publishes_for_an_institution(shelf: Shelf) -> None:
    authority = make_authority()
    row = publish(shelf, shelf.filed(), by=authority.reviewer)
    assert row.published_by == authority.reviewer
    assert row.entry_index is not None
    assert entries.entry(row.entry_index).stream == shelf.institution.streams.get().name


def test_the_authority_owns_rules_itself(shelf: Shelf) -> None:
    authority = make_authority()
    assert authority.publish().is_published


def test_another_institution_does_not(shelf: Shelf) -> None:
    stranger = make_shelf()
    with pytest.raises(access.NotFound):
        publish(shelf, shelf.filed(), by=stranger.reviewer)


def test_a_clerk_does_not(shelf: Shelf) -> None:
    clerk = make_member(shelf.institution, Role.CLERK, serial=18).user
    with pytest.raises(access.Forbidden):
        publish(shelf, shelf.filed(), by=clerk)


def test_a_draft_is_filed_first(shelf: Shelf) -> None:
    with pytest.raises(publishing.VersionNotFiled) as refused:
        publish(shelf, shelf.draft())
    assert refused.value.facts["state"] == "draft"


def test_an_owner_without_a_hosted_stream_is_told_so(bank: Any, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    shelf = make_shelf(stream=False)
    with pytest.raises(access.OwnKeyStream):
        publish(shelf, shelf.filed())


def test_an_own_key_stream_does_not_publish_by_page(shelf: Shelf) -> None:
    hosted = shelf.institution.streams.get()

    class _College:
        institution = shelf.institution

    make_own_stream(_College())  # type: ignore[arg-type]
    institutions.close_stream(stream=hosted, acting_user=None)
    row = shelf.filed()
    with pytest.raises(access.OwnKeyStream):
        publish(shelf, row)
    row.refresh_from_db()
    assert not row.is_being_published


def test_published_twice_it_is_entered_once(shelf: Shelf) -> None:
    row = shelf.publish()
    size = ledger.head_size()
    again = publish(shelf, row)
    assert again.entry_index == row.entry_index
    assert ledger.head_size() == size


def test_two_who_publish_at_once_enter_it_once(shelf: Shelf) -> None:
    row = shelf.filed()
    authority = make_authority()
    before = ledger.head_size()

    def go(user: Any) -> int | None:
        try:
            return publish(shelf, row, by=user).entry_index
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(go, [shelf.reviewer, authority.reviewer]))
    assert len(found) == 1
    assert ledger.head_size() == before + 2


def test_a_crash_after_the_entry_is_healed_by_trying_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = shelf.filed()
    real = ledger.publish_document

    def entered_and_gone(**asked: Any) -> Any:
        real(**asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing.ledger, "publish_document", entered_and_gone)
    with pytest.raises(KeyboardInterrupt):
        publish(shelf, row)
    monkeypatch.setattr(publishing.ledger, "publish_document", real)
    row.refresh_from_db()
    assert row.status == VersionStatus.FILED
    assert row.is_being_published
    size = ledger.head_size()
    # While it is on its way nobody takes it back.
    with pytest.raises(publishing.PublicationUnderway):
        publishing.withdraw_rule(rule=row, reason="改期", acting_user=shelf.clerk)
    healed = publish(shelf, row)
    assert healed.is_published
    assert ledger.head_size() == size


def test_a_crash_is_healed_by_the_outbox_too(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    row = shelf.filed()

    def gone(**asked: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing.ledger, "publish_document", gone)
        with pytest.raises(KeyboardInterrupt):
            publish(shelf, row)
    assert outbox.run_due() == 0
    Outbox.objects.update(due_at=now() - timedelta(seconds=1))
    assert outbox.run_due() == 1
    row.refresh_from_db()
    assert row.is_published
    assert row.published_by == shelf.reviewer


def test_publication_is_told_to_the_security_log(shelf: Shelf) -> None:
    row = shelf.publish(code="R-9")
    event = SecurityEvent.objects.filter(kind="rule-published").get()
    assert event.actor == shelf.reviewer.pk
    assert json.loads(event.facts) == {
        "institution": shelf.slug,
        "code": "R-9",
        "version": 1,
        "digest": bytes(row.digest).hex(),
    }


# -- versions ---------------------------------------------------------------------------------
def test_a_new_version_has_a_greater_number_and_begins_later(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=2)
    with pytest.raises(DocumentRefused) as refused:
        shelf.draft(code="R-1", version=2)
    assert {(one.code, one.field) for one in refused.value.problems} == {
        ("version-published", "/version"),
        ("begins-too-early", "/in_force/from"),
    }
    assert shelf.publish(code="R-1", version=3, in_force={"from": "2026-03-02"}).is_published


def test_a_code_belongs_to_whoever_published_under_it_first(shelf: Shelf) -> None:
    shelf.publish(code="R-1")
    other = make_shelf()
    with pytest.raises(DocumentRefused) as refused:
        other.draft(code="R-1", version=2, in_force={"from": "2027-01-01"})
    assert [one.field for one in refused.value.problems] == ["/code"]


def test_what_was_checked_when_filed_is_checked_again(shelf: Shelf) -> None:
    first = shelf.filed(code="R-1", version=1)
    second = shelf.filed(code="R-1", version=2)
    publish(shelf, first)
    with pytest.raises(DocumentRefused) as refused:
        publish(shelf, second)
    assert [one.code for one in refused.value.problems] == ["begins-too-early"]
    second.refresh_from_db()
    assert second.status == VersionStatus.FILED
    assert not second.is_being_published

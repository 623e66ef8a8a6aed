"""What happens at the bank's doors stands in the security log, and nobody can be read from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.ledger import operations as ledger
from creditbank.securitylog.models import SecurityEvent
from creditbank.securitylog.verification import verify
from creditbank.users.operations import open_user
from learners import operations as learners
from tests.api.clients import anyone, program_of
from tests.api.rows import row
from tests.institutions.cast import make_institution, make_member, make_user
from tests.learners.people import register, resident
from tests.ledger.cast import make_college, make_own_stream

PASSWORD = "一个足够长的口令 for tests"


def told(kind: str) -> list[tuple[int | None, dict[str, Any]]]:
    found = SecurityEvent.objects.filter(kind=kind).order_by("seq")
    return [(event.actor, json.loads(event.facts)) for event in found]


def test_a_sign_in_and_its_failure_are_told_without_the_name(db: object, bank_home: object) -> None:
    user = open_user(username="duan-mou", password=PASSWORD)
    client = Client()
    page = "/account/login/"
    client.post(page, {"login": "duan-mou", "password": "wrong"})
    client.post(page, {"login": "Duan-Mou", "password": "wrong again"})
    client.post(page, {"login": "somebody-else", "password": "wrong"})
    client.post(page, {"login": "duan-mou", "password": PASSWORD})
    client.post("/account/logout/")
    assert told("signed-in") == [(user.pk, {})]
    assert told("signed-out") == [(user.pk, {})]
    names = [facts["name"] for _, facts in told("sign-in-failed")]
    assert names[0] == names[1] != names[2]
    everything = "".join(SecurityEvent.objects.values_list("facts", flat=True))
    for secret in ("duan", "wrong", "somebody"):
        assert secret not in everything


def test_changes_of_roles_are_told_with_who_and_by_whom(db: object, bank_home: object) -> None:
    institution = make_institution()
    admin, user = make_user(), make_user()
    member = institutions.add_member(
        institution=institution, user=user, role=Role.CLERK, acting_user=admin
    )
    successor = institutions.change_role(member=member, role=Role.REVIEWER, acting_user=admin)
    institutions.end_member(member=successor, acting_user=admin)
    institutions.end_member(member=successor, acting_user=admin)
    facts = {"user": user.pk, "institution": institution.slug}
    assert told("member-added") == [(admin.pk, facts | {"role": "clerk"})]
    assert told("role-changed") == [(admin.pk, facts | {"role": "reviewer"})]
    assert told("member-ended") == [(admin.pk, facts | {"role": "reviewer"})]


def test_a_change_that_is_undone_is_not_told(db: object, bank_home: object) -> None:
    institution = make_institution()
    admin = make_user()
    with pytest.raises(institutions.OwnRole):
        institutions.add_member(
            institution=institution, user=admin, role=Role.ADMIN, acting_user=admin
        )
    assert told("member-added") == []


def test_keys_of_streams_are_told(bank: object) -> None:
    own = make_own_stream(make_college(courses=1))
    ledger.retire_key(stream=own.name, public=own.key.public)
    ledger.retire_key(stream=own.name, public=own.key.public)
    ledger.declare_key_compromised(stream=own.name, public=own.key.public, from_index=2)
    assert [facts["stream"] for _, facts in told("stream-key-added")].count(own.name) == 1
    assert [facts["stream"] for _, facts in told("stream-key-retired")] == [own.name]
    assert [facts["from_index"] for _, facts in told("stream-key-compromised")] == [2]


def test_keys_of_programs_and_what_they_are_refused_are_told(bank: Any, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    college = make_college(courses=1)
    own = make_own_stream(college)
    program = program_of(college.institution)
    assert [facts["key"] for _, facts in told("api-key-made")] == [program.prefix]
    answer = program.post(f"streams/{own.name}/resolve", {"rows": [row(college, 1)]})
    assert answer.status_code == 200
    assert told("identities-resolved") == [
        (program.user.pk, {"stream": own.name, "count": 1, "opened": 1})
    ]
    program.post("streams/other.example/1/resolve", {"rows": [row(college, 1)]})
    assert told("denied") == [(program.user.pk, {"code": "not-found", "where": "api_resolve"})]
    wrong = program.token[:-1] + ("A" if program.token[-1] != "A" else "B")
    anyone(Authorization=f"Bearer {wrong}").get("/api/v1/log")
    ((actor, facts),) = told("api-key-refused")
    assert (actor, facts["key"], len(facts["address"])) == (None, program.prefix, 32)
    everything = "".join(SecurityEvent.objects.values_list("facts", flat=True))
    assert resident(1).number not in everything
    assert "127.0.0.1" not in everything
    assert verify().findings == []


def test_a_refused_page_is_told_for_users_and_not_for_strangers(
    db: object, bank_home: object, settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = False
    institution = make_institution()
    client = Client()
    client.get(f"/org/{institution.slug}/records")
    assert told("denied") == []
    user = make_user()
    client.force_login(user)
    assert client.get(f"/org/{institution.slug}/records").status_code == 404
    assert told("denied") == [(user.pk, {"code": "not-found", "where": "org_records"})]


def test_what_a_member_is_shown_of_people_is_told(bank: Any, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    college = make_college(courses=1)
    learner = register()
    receipt = college.record(college.award(int(learner.account_id)))
    member = make_member(college.institution, Role.VIEWER)
    client = Client()
    client.force_login(member.user)
    page = client.get(f"/org/{college.institution.slug}/records/{receipt.first_index}")
    assert page.status_code == 200
    assert told("personal-data-viewed") == [
        (member.user.pk, {"what": "record", "about": receipt.first_index, "count": 1})
    ]


def test_claim_codes_and_forgetting_are_told(bank: object) -> None:
    learner = register()
    clerk = make_user()
    learners.issue_claim_code(learner, clerk)
    learners.forget_learner(learner=learner)
    learners.forget_learner(learner=learner)
    assert told("claim-code-issued") == [(clerk.pk, {"learner": str(learner.pk)})]
    assert told("learner-forgotten") == [(None, {"learner": str(learner.pk)})]

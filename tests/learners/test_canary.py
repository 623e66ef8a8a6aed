"""Somebody uses the bank in every way there is, is forgotten, and cannot be found anywhere.

Everything runs as in operation: web, worker, signer, PostgreSQL, Valkey. What is
looked through afterwards: every table of every database, the catalogues too;
the servers' folders, the bank's folder, the exported log, all logs, temporary
files; Valkey; the answers of the pages and the API that search.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.account.models import EmailAddress
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings as bank_settings
from django.core.management import call_command

from api import keys
from api.models import OF_LEARNERS
from certificates.models import Transcript
from creditbank.clock import today
from creditbank.institutions.kinds import OutcomeKind
from creditbank.ledger import audit, learnerkeys
from creditbank.ledger.models import LearnerKey
from creditbank.ledger.queries import log_state
from creditbank.ledger.routers import KEYS
from creditbank.recognition.workflow import (
    appeals,
    decisions,
    goals,
    holdings,
    preapprovals,
    reviewing,
)
from creditbank.recognition.workflow import requests as recognition
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recording.models import Draft, Upload
from creditbank.users.models import User
from learners import operations, queries, remains, sealing
from learners.identity import DocumentType, IdentityDocument
from tests import environment
from tests.api.clients import program_of
from tests.certificates.holders import token_of
from tests.learners.people import register, resident_number
from tests.learners.scanner import Scanner
from tests.learners.visitor import Answer, Visitor, file
from tests.recognition.shelf import make_shelf
from tests.recognition.world import (
    INFORMATION,
    STORAGE,
    course,
    programme_document,
    rule_document,
)
from tests.recording.cast import School, add_item, make_school, somebody, text_table, workbook

NAME = "欧阳鑫淼焱垚"
NUMBER = resident_number(987, born="19370707")
CANARIES = {
    "name": NAME,
    "number": NUMBER,
    "birth date": "19370707",
    "birth date, written": "1937-07-07",
    "phone": "13900990177",
    "e-mail": "canary.ouyang@example.org",
    "certificate of the form": "ZS-CANARY-FORM-77131",
    "certificate of the file": "ZS-CANARY-FILE-77132",
    "certificate of the API": "ZS-CANARY-API-77133",
    "certificate of a bad row": "ZS-CANARY-BAD-77134",
    "words of a request": "ZS-CANARY-WORDS-77135",
    "sign-in name": "canary.xinmiao",
    "shown name": "金丝雀小欧阳",
    "browser": "CanaryBrowser/77.1",
}
PASSWORD = "corréct-horse-battery-staple"
DAY = "2026-06-17"


@dataclass
class World:
    """The bank of this test, and who walks about in it."""

    site: Any
    school: School
    item: str
    clerk: Visitor
    reviewer: Visitor
    learner: Visitor
    stranger: Visitor
    pages: dict[str, Answer] = field(default_factory=dict)
    """Pages and files that show the person while they are known."""


def can_sign_in(user: User) -> None:
    user.set_password(PASSWORD)
    user.save()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """Where this process and those it starts put temporary files."""
    settings.STAFF_SECOND_FACTOR = False
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def world(temporary: Path, bank: Any, site: Any, worker: Any) -> World:
    school = make_school()
    item = add_item(school, OutcomeKind.X_CERTIFICATE).code
    world = World(
        site=site,
        school=school,
        item=item,
        clerk=Visitor(site.url),
        reviewer=Visitor(site.url),
        learner=Visitor(site.url, agent=CANARIES["browser"]),
        stranger=Visitor(site.url),
    )
    for visitor, user in ((world.clerk, school.clerk), (world.reviewer, school.reviewer)):
        can_sign_in(user)
        visitor.sign_in(user.username, PASSWORD)
    return world


def row(world: World, certificate: str, **changes: str) -> dict[str, str]:
    return {
        "document_type": "resident-id",
        "number": NUMBER,
        "name": NAME,
        "item": world.item,
        "completed_on": DAY,
        "certificate": CANARIES[certificate],
    } | changes


def approved(world: World, draft: Draft) -> None:
    address = f"/org/{world.school.slug}/approvals/{draft.pk}"
    answer = world.reviewer.post(f"{address}/approve", page=address)
    assert answer.status == 200
    draft.refresh_from_db()
    assert draft.is_recorded, answer.text


# -- what happens to the person -----------------------------------------------------------------
def recorded_by_form(world: World) -> None:
    address = f"/org/{world.school.slug}/record"
    cells = row(world, "certificate of the form")
    wrong = world.clerk.post(address, **cells | {"number": NUMBER[:-2] + "11", "step": "preview"})
    assert wrong.status == 422
    sent = world.clerk.post(address, **cells | {"step": "submit"})
    assert "approvals" in sent.url, sent.text
    approved(world, Draft.objects.get())


def recorded_by_file(world: World) -> None:
    headers = ["身份证号", "姓名", "项目代码", "完成日期", "证书编号", "电话", "邮箱", NAME]
    personal = [CANARIES["phone"], CANARIES["e-mail"], ""]
    good = [NUMBER, NAME, world.item, DAY, CANARIES["certificate of the file"], *personal]
    other = [somebody().number, "张示例", world.item, DAY, "ZS-OTHER-1", "", "", ""]
    wrong = NUMBER[:5] + "0" + NUMBER[6:]
    bad = [wrong, NAME, world.item, DAY, CANARIES["certificate of a bad row"], *personal]
    late = [NUMBER, NAME, world.item, "2999-01-01", CANARIES["certificate of a bad row"], *personal]
    data = workbook([good, other, bad, late], headers, title=NAME)
    address = f"/org/{world.school.slug}/imports"
    handed_in = world.clerk.post(address, file=file(f"{NAME}的成绩.xlsx", data))
    page = handed_in.url.removeprefix(world.site.url)
    world.pages["import"] = world.clerk.until(page, "下载错误行")
    world.pages["errors.xlsx"] = world.clerk.get(f"{page}/errors.xlsx")
    world.clerk.post(f"{page}/submit", page=page)
    upload = Upload.objects.get()
    assert (upload.new, upload.refused) == (2, 2)
    assert upload.draft is not None
    approved(world, upload.draft)
    # A table without headers: its first row is a person's.
    headless = text_table([good[:5]], bad[:5], encoding="gb18030")
    handed_in = world.clerk.post(address, file=file("table.csv", headless))
    world.clerk.until(handed_in.url.removeprefix(world.site.url), "表头缺少必需的列")


def recorded_by_api(world: World) -> None:
    program = program_of(world.school.institution)
    cells = row(world, "certificate of the API")
    headers = {
        "Authorization": f"Bearer {program.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "canary-1",
    }
    address = f"/api/v1/institutions/{world.school.slug}/records"
    wrong = json.dumps({"rows": [cells | {"number": NUMBER[:-1] + "#"}]}).encode()
    refused = world.stranger.send(address, wrong, **headers)
    assert refused.status == 422, refused.text
    taken = world.stranger.send(address, json.dumps({"rows": [cells]}).encode(), **headers)
    assert taken.status == 202, taken.text
    approved(world, Draft.objects.get(pk=json.loads(taken.body)["id"]))


def drafts_are_left_lying(world: World) -> None:
    """One waits, with another person in it; one was sent back with a reason that names them."""
    school = world.school
    item = school.items[0].code
    mine = {"document": IdentityDocument(type=DocumentType.RESIDENT_ID, number=NUMBER)}
    school.submit(school.row(2, name=NAME, item=item, **mine), school.row(3, item=item))
    returned = school.submit(school.row(2, name=NAME, item=school.items[1].code, **mine))
    address = f"/org/{school.slug}/approvals/{returned.pk}"
    reason = f"{NAME}（{NUMBER}，电话{CANARIES['phone']}）不是本校学生"
    world.reviewer.post(f"{address}/refuse", page=address, reason=reason)
    returned.refresh_from_db()
    assert CANARIES["phone"] in returned.refused_reason
    world.pages["draft sent back"] = world.clerk.get(address)


def claimed(world: World) -> None:
    address = f"/org/{world.school.slug}/claim-codes"
    answer = world.clerk.post(address, document_type="resident-id", number=NUMBER)
    code = re.search(r"(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}", answer.text)
    assert code is not None, answer.text
    signed_up = world.learner.post(
        "/account/signup/",
        username=CANARIES["sign-in name"],
        password1=PASSWORD,
        password2=PASSWORD,
    )
    assert signed_up.status == 200
    user = User.objects.get(username=CANARIES["sign-in name"])
    user.display_name = CANARIES["shown name"]
    user.save(update_fields=["display_name"])
    EmailAddress.objects.create(user=user, email=CANARIES["e-mail"], verified=True, primary=True)
    assert "/me" in world.learner.post("/me/claim", code=code[0]).url


def certified_and_verified(world: World) -> None:
    page = world.learner.post("/me/transcripts").url.removeprefix(world.site.url)
    world.learner.until(page, "pdf")
    world.pages["transcript.pdf"] = world.learner.get(f"{page}/pdf")
    world.pages["transcript.json"] = world.learner.get(f"{page}/json")
    assert world.pages["transcript.pdf"].status == 200
    pdf = world.pages["transcript.pdf"].body
    token = token_of(Transcript.objects.get())
    world.pages["verification link"] = world.stranger.get(f"/v/{token}")
    world.pages["verification of the file"] = world.stranger.post(
        "/verify", file=file("a.pdf", pdf)
    )
    world.pages["account"] = world.learner.get("/me")
    records = world.learner.get("/me/records").text
    for link in re.findall(r'href="(/me/records/\d+)"', records):
        world.pages[link] = world.learner.get(link)
    user = User.objects.get(username=CANARIES["sign-in name"])
    made = keys.create_learner_key(
        scopes=[scope.value for scope in OF_LEARNERS],
        expires_on=today() + timedelta(days=9),
        acting_user=user,
    )
    world.pages["statement by API"] = world.stranger.get(
        "/api/v1/me/statement", Authorization=f"Bearer {made.token}"
    )


def recognised(world: World) -> None:
    """A college recognises the certificate; everything that is written names the person."""
    learner = queries.by_identity(IdentityDocument(type=DocumentType.RESIDENT_ID, number=NUMBER))
    assert learner is not None
    assert learner.user is not None
    college = make_shelf()
    item = next(
        one.evidence.outcome.item
        for one in holdings.holdings_of(learner)
        if one.evidence.outcome.item == world.item
    )
    programme = college.publish_programme(
        programme_document(
            college.institution,
            courses=[
                course(STORAGE, "仓储与配送管理", "4", "required"),
                course(INFORMATION, "物流信息技术", "3", "required"),
            ],
        )
    )
    looked_at = {"fact": {"name": "looked_at", "is": ["yes"]}}
    college.publish(
        rule_document(
            college.institution,
            item,
            constraints=None,
            sources={"outcome": {"any": [looked_at, {"item": [item]}]}},
        )
    )
    said = f"{CANARIES['words of a request']} {NAME} {NUMBER} {CANARIES['phone']}"
    goals.add_goal(learner=learner, programme=programme, acting_user=learner.user)
    leaf = next(
        one.leaf for one in holdings.holdings_of(learner) if one.evidence.outcome.item == item
    )
    request = recognition.request_recognition(
        learner=learner,
        programme=programme,
        leaves=[leaf],
        consent=recognition.CONSENT,
        words=said,
        acting_user=learner.user,
    )
    reviewing.open_case(request=request, acting_user=college.reviewer)
    reviewing.attest_fact(
        request=request, leaf=leaf, name="looked_at", value=NAME, acting_user=college.reviewer
    )
    decision = decisions.propose_decision(
        request=request,
        verdicts=[
            Verdict(position=0, verdict="credit", note=said),
            Verdict(position=1, verdict="waived", reason="requirement-met-without-credit"),
        ],
        acting_user=college.reviewer,
    )
    appeal = appeals.file_appeal(
        decision=decision,
        positions=[1],
        text=said,
        attachment=appeals.Attachment(name=f"{NAME}.pdf", data=b"%PDF-" + said.encode()),
        acting_user=learner.user,
    )
    preapprovals.prepare_pre_approval(
        learner=learner,
        programme=programme,
        item=item,
        until=today() + timedelta(days=30),
        targets=[preapprovals.Promised(course=INFORMATION)],
        acting_user=college.clerk,
    )
    # While the person is known, all of it can be read where it should be.
    (message,) = appeals.thread(appeal)
    assert message.text == decisions.notes_of(decision)[0] == said
    assert message.file_name == f"{NAME}.pdf"
    assert decisions.package_of(decision).evidence[0].facts[0].value == NAME


def things_go_wrong(world: World, superuser_url: str) -> None:
    """The web and the worker meet errors of the database while they handle the person."""
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute("ALTER TABLE users_user RENAME COLUMN language TO tongue")
        fresh = Visitor(world.site.url, agent=CANARIES["browser"])
        try:
            broken = fresh.post(
                "/account/login/", login=CANARIES["sign-in name"], password=PASSWORD
            )
        finally:
            superuser.execute("ALTER TABLE users_user RENAME COLUMN tongue TO language")
        assert broken.status == 500
        superuser.execute("ALTER TABLE institutions_catalogueitem RENAME TO away")
        try:
            data = text_table([[NUMBER, NAME, world.item, DAY, "", "", CANARIES["phone"]]])
            address = f"/org/{world.school.slug}/imports"
            handed_in = world.clerk.post(address, file=file("b.csv", data))
            world.clerk.until(handed_in.url.removeprefix(world.site.url), "事件编号")
        finally:
            superuser.execute("ALTER TABLE away RENAME TO institutions_catalogueitem")


def searched_for(world: World) -> dict[str, Answer]:
    """Everything that can be asked for a person, by the institution and by programs."""
    org = f"/org/{world.school.slug}"
    found = {
        "records of the number": world.clerk.post(
            f"{org}/records", document_type="resident-id", number=NUMBER
        ),
        "claim code": world.clerk.post(
            f"{org}/claim-codes", document_type="resident-id", number=NUMBER
        ),
    }
    for name in ("", "/records", "/approvals", "/imports", "/members"):
        found[f"desk{name}"] = world.clerk.get(org + name)
    for draft in Draft.objects.all():
        found[f"draft {draft.state} {draft.pk}"] = world.clerk.get(f"{org}/approvals/{draft.pk}")
    for upload in Upload.objects.all():
        found[f"upload {upload.pk}"] = world.clerk.get(f"{org}/imports/{upload.pk}")
        found[f"errors {upload.pk}"] = world.clerk.get(f"{org}/imports/{upload.pk}/errors.xlsx")
    size = log_state().published_size
    for index in range(size):
        found[f"log {index}"] = world.stranger.get(f"/api/v1/log/entries/{index}")
        found[f"proof {index}"] = world.stranger.get(f"/log/{index}/proof")
        found[f"record {index}"] = world.clerk.get(f"{org}/records/{index}")
        found[f"opened proof {index}"] = world.clerk.get(f"{org}/records/{index}/proof")
        found[f"receipt {index}"] = world.clerk.get(f"{org}/receipts/{index}")
    return found


def shown(scanner: Scanner, answers: dict[str, Answer]) -> dict[str, set[str]]:
    return {
        name: names
        for name, answer in answers.items()
        if (names := scanner.found(answer.body) | scanner.found(answer.text.encode()))
    }


def retention_passes(db: Any) -> None:
    """What the runbook promises happens: tables rewritten, the write-ahead log let go."""
    from tests.conftest import _point_at

    _point_at(db.name, "bank_owner")
    remains.erase()
    _point_at(db.name, "bank_app")
    with psycopg.connect(db.superuser_url, autocommit=True) as superuser:
        superuser.execute("ALTER SYSTEM SET wal_recycle = off")
        superuser.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
        superuser.execute("SELECT pg_reload_conf()")
        for _ in range(3):
            superuser.execute("SELECT pg_switch_wal()")
            superuser.execute("CHECKPOINT")
        superuser.execute("ALTER SYSTEM RESET ALL")
        superuser.execute("SELECT pg_reload_conf()")


@pytest.mark.timeout(300)
def test_a_forgotten_learner_cannot_be_found_anywhere(
    world: World, db: Any, bank_home: Path, temporary: Path, tmp_path: Path
) -> None:
    scanner = Scanner(CANARIES)
    folders = (environment.HOME, bank_home, temporary, tmp_path / "exported")
    recorded_by_form(world)
    recorded_by_file(world)
    recorded_by_api(world)
    drafts_are_left_lying(world)
    claimed(world)
    certified_and_verified(world)
    recognised(world)
    things_go_wrong(world, db.superuser_url)
    with psycopg.connect(db.superuser_url, autocommit=True) as superuser:
        superuser.execute("ANALYZE")
        superuser.execute("CHECKPOINT")

    # While the person is known, they are read where they should be: the scanner sees them there.
    before = shown(scanner, world.pages)
    assert {"name", "certificate of the file"} <= before["transcript.pdf"]
    assert {"name", "phone", "certificate of a bad row"} <= before["errors.xlsx"]
    assert "name" in before["import"]
    assert {"name", "number", "phone"} <= before["draft sent back"]
    for page in ("verification link", "verification of the file", "account", "transcript.json"):
        assert "name" in before[page], page
    on_pages = set().union(*(names for page, names in before.items() if "/me/records/" in page))
    assert {f"certificate of the {way}" for way in ("form", "file", "API")} <= on_pages
    assert "certificate of the API" in before["statement by API"]
    answers = shown(scanner, searched_for(world))
    for place in ("receipt ", "record ", "draft submitted", "upload ", "errors "):
        assert any("name" in answers[one] for one in answers if one.startswith(place)), place
    assert any(
        "certificate of the file" in answers[one] for one in answers if one.startswith("opened")
    )
    # In the tables in clear stands only how they sign in, and what a reviewer wrote.
    tables = scanner.tables(every_database(db.superuser_url))
    assert tables.pop("public.recording_draft") == {"name", "number", "birth date", "phone"}
    assert "sign-in name" in tables.pop("pg_catalog.pg_statistic")
    assert tables == {
        "public.users_user": {"sign-in name", "shown name"},
        "public.account_emailaddress": {"e-mail"},
        "public.usersessions_usersession": {"browser"},
    }
    assert scanner.valkey(environment.valkey.url(0)) == {}
    learner = queries.by_identity(IdentityDocument(type=DocumentType.RESIDENT_ID, number=NUMBER))
    assert learner is not None
    wrapped = bytes(LearnerKey.objects.using(KEYS).get(acct=learner.account_id).wrapped)
    sealed = bytes(learner.name_sealed)

    answer = world.learner.post("/me/settings/forget", page="/me/settings", word="删除")
    assert "已删除" in answer.text

    learner.refresh_from_db()
    assert learner.is_forgotten
    # Dead rows and the write-ahead log still hold what stood there: that is why there is a retention.
    scanner = Scanner(CANARIES, {"wrapped key": wrapped, "sealed name": sealed})
    left = set.union(*scanner.files(environment.HOME / "postgres" / "data").values())
    assert left >= {"wrapped key", "sealed name", "sign-in name", "shown name", "e-mail", "browser"}
    retention_passes(db)
    call_command("export_log", str(tmp_path / "exported"), verbosity=0)
    assert scanner.tables(every_database(db.superuser_url)) == {}
    assert scanner.valkey(environment.valkey.url(0)) == {}
    answers = shown(scanner, searched_for(world))
    # A form shows again what was typed into it.
    for typed in ("records of the number", "claim code"):
        assert answers.pop(typed) <= {"number", "birth date"}
    assert answers == {}
    assert scanner.files(*folders) == {}
    assert audit.audit().findings == []


def every_database(superuser_url: str) -> list[str]:
    with psycopg.connect(superuser_url) as superuser:
        names = superuser.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    return [superuser_url.rpartition("/")[0] + f"/{name}" for (name,) in names]


# -- what a backup of the keys is worth ---------------------------------------------------------
def test_a_copied_key_is_useless_without_the_key_that_wraps_it(db: Any, bank_home: Path) -> None:
    learner = register(name=NAME)
    account, sealed = learner.account_id, bytes(learner.name_sealed)
    place = sealing.purpose(queries.TABLE, "name_sealed", learner.pk)
    wrapped = bytes(LearnerKey.objects.using(KEYS).get(acct=account).wrapped)
    operations.forget_learner(learner)
    assert not LearnerKey.objects.using(KEYS).exists()

    label = b"llcb/learner-key/v1\0%d" % account
    for other in (bytes(32), os.urandom(32)):
        with pytest.raises(InvalidTag):
            AESGCM(other).decrypt(wrapped[:12], wrapped[12:], label)
    # With it the copy opens: so the copies of the keys, and nothing else, must expire.
    kek = AESGCM(bank_settings.KEYSTORE.get(learnerkeys.KEK))
    secret = kek.decrypt(wrapped[:12], wrapped[12:], label)
    person = learnerkeys.AccountKeys.derive(secret).person
    opened = person.decrypt(sealed[:12], sealed[12:], b"llcb/person/v1\0" + place.encode())
    assert opened.decode() == NAME
    with pytest.raises(learnerkeys.PersonForgotten):
        sealing.open_sealed(account, place, sealed)

"""Recognised credits among the lines: the pages show them, and each total opens what it is made of."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from creditbank.ledger import operations as ledger
from creditbank.ledger import queries
from creditbank.ledger.log import Receipt
from learners.models import Learner
from tests.ledger.cast import College, make_college, published
from tests.ledger.recognising import pre_approved, recognise, rule, withdrawal
from tests.portals.institution_site import School, signed_in, text_of
from tests.portals.test_learner import claimed
from tests.portals.test_learner import signed_in as learner_signed_in
from tests.recording.cast import make_school


@pytest.fixture
def school(bank: Any, settings: Any) -> School:
    settings.STAFF_SECOND_FACTOR = False
    return make_school()


@pytest.fixture
def receiving(school: School) -> College:
    """The school as a receiving institution."""
    return College(school.institution, school.stream.name, school.items)


@pytest.fixture
def used(receiving: College) -> tuple[Client, Learner, int, Receipt]:
    """A learner one of whose two outcomes is used by a decision; its index, the decision's receipt."""
    awarding = make_college()
    user, learner = claimed()
    account = int(learner.account_id)
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    entered = published(recognise(receiving, account, receipt.first_index, decision="认77号"))
    return learner_signed_in(user), learner, receipt.first_index, entered


def plain(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_the_learner_sees_what_was_recognised_and_each_total_opens_its_outcomes(
    used: tuple[Client, Learner, int, Receipt],
) -> None:
    client, learner, _, entered = used
    assert "认77号" in plain(client.get("/me"))
    for state, lines in (("entered", 1), ("used", 1), ("lapsed", 0), ("", 3)):
        listed = client.get(f"/me/records?state={state}")
        assert listed.content.decode().count('data-testid="entry"') == lines
        assert ("认77号" in plain(listed)) is (state == "")
    page = plain(client.get(f"/me/records/{entered.first_index}"))
    assert "认定的学分" in page
    assert "认77号" in page
    assert "8.50" in page
    ledger.reverse_recognition(index=entered.first_index, reason="撤销")
    lapsed = client.get("/me/records?state=lapsed").content.decode()
    assert lapsed.count('data-testid="entry"') == 0
    assert queries.balance([int(learner.account_id)]).available == 6


def test_a_used_outcome_names_the_decision_and_leads_to_its_entry(
    used: tuple[Client, Learner, int, Receipt],
) -> None:
    client, _, award, entered = used
    answer = client.get(f"/me/records/{award}")
    page = plain(answer)
    assert "已使用" in page
    assert "已用于认定决定 认77号。" in page
    assert f'href="/log/{entered.index_of(1)}"' in answer.content.decode()


def test_the_receiving_institution_finds_its_decision_among_its_records(
    used: tuple[Client, Learner, int, Receipt], school: School
) -> None:
    _, _, _, entered = used
    client = signed_in(school.clerk_member)
    page = client.get(f"/org/{school.slug}/receipts/{entered.manifest_index}")
    assert page.status_code == 200
    assert page.content.decode().count('data-testid="line"') == 2
    for index in (entered.index_of(0), entered.index_of(1)):
        assert client.get(f"/org/{school.slug}/records/{index}").status_code == 200


def test_the_receiving_institution_finds_what_it_published(
    receiving: College, school: School
) -> None:
    said = rule(receiving.institution)
    receipt = published(ledger.publish_document(stream=receiving.hosted, statement=said))
    client = signed_in(school.clerk_member)
    page = client.get(f"/org/{school.slug}/receipts/{receipt.manifest_index}")
    assert page.status_code == 200
    assert "1 条记录" in text_of(page)


def test_the_log_tells_rules_decisions_and_uses_apart_and_names_nobody(
    used: tuple[Client, Learner, int, Receipt], receiving: College, client: Client
) -> None:
    _, learner, _, entered = used
    said = rule(receiving.institution)
    first = ledger.publish_document(stream=receiving.hosted, statement=said)
    second = ledger.withdraw_document(
        stream=receiving.hosted,
        statement=withdrawal(said, queries.entry(first.first_index).leaf_hash),
    )
    third = published(
        ledger.pre_approve(
            stream=receiving.hosted, statement=pre_approved(receiving, int(learner.account_id))
        )
    )
    pages = {
        index: plain(client.get(f"/log/{index}"))
        for index in (
            entered.index_of(0),
            entered.index_of(1),
            first.first_index,
            second.first_index,
            third.first_index,
        )
    }
    words = ("认定学分", "使用一笔学分", "公布一份认定规则", "撤回一份认定规则", "预认定")
    for (index, page), said_of_it in zip(pages.items(), words, strict=True):
        assert said_of_it in page, index
        assert "认77号" not in page
    publication = pages[first.first_index]
    assert "R-017 · 3" in publication
    assert "2026-09-01" in publication
    assert receiving.institution.uscc in publication
    assert "自此序号起不可信" not in publication
    assert f"{second.first_index}" in publication
    assert "依据已废止" in pages[second.first_index]

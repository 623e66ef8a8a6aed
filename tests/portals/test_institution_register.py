"""The public register: who may record what, since when, with which keys."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest
from django.test import Client

from creditbank.institutions import operations as institutions
from creditbank.institutions.models import Institution
from creditbank.ledger import operations, queries
from tests.institutions.cast import make_institution
from tests.ledger.cast import College, make_college, make_own_stream, published


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=2)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_the_register_lists_institutions_and_finds_them(college: College, client: Client) -> None:
    other = make_institution(
        name="示例评价组织", name_en="Sample Assessors", kind="assessment-organisation"
    )
    page = text_of(client.get("/institutions"))
    assert college.institution.name in page
    assert other.name in page
    for search in ({"q": "sample asse"}, {"q": other.uscc}, {"kind": other.kind}):
        page = text_of(client.get("/institutions", search))
        assert other.name in page
        assert college.institution.name not in page
    page = text_of(client.get("/institutions", {"q": "没有这样一家"}))
    assert "没有符合条件的机构" in page


def test_an_institution_shows_its_scope_keys_catalogue_and_history(
    college: College, client: Client
) -> None:
    own = make_own_stream(college)
    published(operations.retire_key(stream=own.name, public=own.key.public))
    answer = client.get(f"/institutions/{college.institution.slug}")
    assert answer.status_code == 200
    page = text_of(answer)
    assert college.institution.uscc in page
    assert "课程 2020年1月1日 未定期限" in page
    assert own.key.public.hex() in page
    assert "机构自持密钥" in page
    assert "由学分银行代为保管密钥" in page
    assert "使用中" in page
    assert "停用签名密钥" in page
    assert college.items[0].code in page
    size = queries.log_state().published_size
    linked = {int(n) for n in re.findall(r'href="/log/(\d+)"', answer.content.decode())}
    assert linked
    assert all(queries.entry(n).kind.name in ("key-add", "key-retire") for n in linked)
    assert all(n < size for n in linked)


def test_a_compromised_key_is_shown_with_the_index_from_which_it_is_not_trusted(
    college: College, client: Client
) -> None:
    own = make_own_stream(college)
    published(
        operations.declare_key_compromised(stream=own.name, public=own.key.public, from_index=4)
    )
    page = text_of(client.get(f"/institutions/{college.institution.slug}"))
    assert "已失密 自第 4 号起不可信" in page


def test_a_suspended_institution_says_what_that_means(college: College, client: Client) -> None:
    Institution.objects.filter(pk=college.institution.pk).update(status="suspended")
    page = text_of(client.get(f"/institutions/{college.institution.slug}"))
    assert "已暂停" in page
    assert "暂停之前登记的记录不受影响" in page


def test_an_institution_without_scope_stream_or_items_has_a_whole_page(
    college: College, client: Client
) -> None:
    bare = make_institution()
    page = text_of(client.get(f"/institutions/{bare.slug}"))
    assert "目前没有记录任何类别的许可" in page
    assert "还没有开立序列" in page
    assert "列入机构名录" in page


def test_a_scope_that_ended_stays_in_the_history(college: College, client: Client) -> None:
    institutions.grant_scope(
        institution=college.institution,
        outcome_kind="training",
        valid_from=date(2021, 1, 1),
        valid_until=date(2022, 12, 31),
    )
    page = text_of(client.get(f"/institutions/{college.institution.slug}"))
    assert "2022年12月31日 不再记录：培训" in page


def test_an_unknown_institution_is_not_found(college: College, client: Client) -> None:
    assert client.get("/institutions/nobody").status_code == 404
    assert client.get("/institutions/").status_code == 404

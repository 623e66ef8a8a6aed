"""The public register: lists, one version, open data."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from django.test import Client

from creditbank.portals import opendata
from creditbank.recognition.language import schemas
from creditbank.recognition.register import publishing
from tests.institutions.cast import approve, make_user, propose
from tests.portals.institution_site import signed_in, signed_in_as, text_of
from tests.recognition.shelf import Shelf, make_shelf


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf(name="示例开放大学", name_en="Example Open University")


@pytest.fixture
def reader() -> Client:
    return Client(headers={"Accept-Language": "zh-CN"})


def titles(response: Any) -> list[str]:
    assert response.status_code == 200
    return [one.row.title for one in response.context["rules"]]


# -- lists ----------------------------------------------------------------------------------------
def test_what_is_in_force_is_listed_first_of_all(shelf: Shelf, reader: Client) -> None:
    shelf.publish(code="R-1", title="现行的")
    shelf.publish(code="R-2", title="将来的", in_force={"from": "2099-01-01"})
    shelf.draft(code="R-3", title="草稿")
    assert titles(reader.get("/rules")) == ["现行的"]
    assert titles(reader.get("/rules?state=upcoming")) == ["将来的"]
    assert titles(reader.get("/rules?state=")) == ["现行的", "将来的"]
    assert titles(reader.get("/rules?state=no-such-state")) == ["现行的", "将来的"]


def test_rules_are_filtered(shelf: Shelf, reader: Client) -> None:
    other = make_shelf()
    shelf.publish_programme(code="P-1")
    shelf.publish(code="R-1", title="甲")
    other.publish(code="R-2", title="乙", gate={"kinds": ["training"]}, sources=ANYTHING)
    assert titles(reader.get(f"/rules?owner={other.slug}")) == ["乙"]
    assert titles(reader.get("/rules?programme=P-1")) == ["甲"]
    assert titles(reader.get("/rules?kind=training")) == ["乙"]
    assert titles(reader.get("/rules?q=甲")) == ["甲"]
    assert "没有符合条件的规则" in text_of(reader.get("/rules?q=没有这样的"))


ANYTHING = {"outcome": {"valid": True}}


def test_an_empty_register_says_so(db: Any, reader: Client) -> None:
    assert "还没有公布过规则" in text_of(reader.get("/rules"))
    assert "还没有现行的专业" in text_of(reader.get("/rules/coverage"))
    assert "还没有公布过专业" in text_of(reader.get("/programmes"))


def test_coverage_leads_to_the_rules_it_counts(shelf: Shelf, reader: Client) -> None:
    shelf.publish_programme(code="P-1")
    shelf.publish(code="R-1", title="甲")
    page = reader.get("/rules/coverage")
    assert 'href="/rules?programme=P-1&amp;kind=course"' in page.content.decode()
    assert titles(reader.get("/rules?programme=P-1&kind=course")) == ["甲"]
    item = approve(propose(shelf.institution))
    shelf.publish(code="R-2", title="乙", sources={"outcome": {"item": [item.code]}},
                  allocation={"to": [{"course": "ART-1"}]})  # fmt: skip
    by_body = reader.get("/rules/coverage?by=body").content.decode()
    assert f"/rules?programme=P-1&amp;body={item.body_uscc}" in by_body
    assert "示例开放大学" in by_body


def test_unused_rules_are_shown_to_members_alone(shelf: Shelf, reader: Client) -> None:
    shelf.publish(code="R-1")
    assert reader.get("/rules/unused").status_code == 302
    assert signed_in_as(make_user()).get("/rules/unused").status_code == 404
    member = signed_in(shelf.clerk_member)
    assert [row.code for row, _used in member.get("/rules/unused?months=0").context["rules"]] == [
        "R-1"
    ]
    # Published today: it has had no time to be used.
    assert member.get("/rules/unused").context["rules"] == []
    assert "未使用的规则" in text_of(member.get("/rules"))
    assert "未使用的规则" not in text_of(reader.get("/rules"))


# -- one version ------------------------------------------------------------------------------------
def test_a_rule_is_said_in_plain_words(shelf: Shelf, reader: Client) -> None:
    shelf.publish_programme(code="P-1")
    row = shelf.publish(code="R-1")
    text = text_of(reader.get("/rules/R-1"))
    assert "分数不低于 60" in text
    assert "《大学英语》" in text
    assert "示院教〔2026〕3号" in text
    assert f"登记簿第 {row.entry_index} 号" in text
    assert "新能源汽车技术" in text
    english = Client(headers={"Accept-Language": "en"}).get("/rules/R-1")
    assert "the score is at least 60" in text_of(english)
    assert "College English" in text_of(english)


def test_the_version_in_force_answers_for_the_code(shelf: Shelf, reader: Client) -> None:
    shelf.publish(code="R-1", version=1, title="旧的")
    shelf.publish(code="R-1", version=2, title="新的", in_force={"from": "2026-04-01"})
    shelf.publish(code="R-1", version=3, title="将来的", in_force={"from": "2099-01-01"})
    assert reader.get("/rules/R-1").context["row"].version == 2
    old = reader.get("/rules/R-1/1")
    assert "第 2 版自 2026年4月1日 起接替这一版" in text_of(old)
    changes = {one.pointer for one in reader.get("/rules/R-1/2").context["differences"]}
    assert changes == {"/version", "/title", "/in_force/from"}


def test_a_withdrawal_is_shown_with_its_reason(shelf: Shelf, reader: Client) -> None:
    row = shelf.publish(code="R-1")
    publishing.withdraw_rule(rule=row, reason="依据文件已废止", acting_user=shelf.reviewer)
    text = text_of(reader.get("/rules/R-1/1"))
    assert "起撤回" in text
    assert "依据文件已废止" in text


@pytest.mark.parametrize(
    "path",
    ["/rules/R-9", "/rules/R-9/1", "/rules/R-1/1", "/programmes/P-9", "/programmes/P-9/1"],
)
def test_what_is_not_published_is_not_found(shelf: Shelf, reader: Client, path: str) -> None:
    shelf.filed(code="R-1")
    assert reader.get(path).status_code == 404


def test_a_programme_shows_what_it_asks_for_and_its_rules(shelf: Shelf, reader: Client) -> None:
    shelf.publish_programme(code="P-1")
    shelf.publish(code="R-1", title="能用的规则")
    text = text_of(reader.get("/programmes/P-1"))
    assert "专业核心" in text
    assert "大学英语 ENG-101" in text
    assert "能用的规则" in text
    listed = reader.get("/programmes?q=新能源")
    assert "新能源汽车技术" in text_of(listed)
    assert "没有符合条件的专业" in text_of(reader.get("/programmes?q=没有"))


def test_the_log_leads_to_the_rule(shelf: Shelf, reader: Client) -> None:
    from creditbank.ledger import queries as entries

    row = shelf.publish(code="R-1")
    assert row.entry_index is not None
    entries.wait_until_published(row.entry_index + 1)
    page = reader.get(f"/log/{row.entry_index}")
    assert 'href="/rules/R-1/1"' in page.content.decode()


# -- files ------------------------------------------------------------------------------------------
def test_the_document_is_the_very_bytes_of_the_log(shelf: Shelf, reader: Client) -> None:
    row = shelf.publish(code="R-1")
    programme = shelf.publish_programme(code="P-1")
    for path, version in (("rules/R-1/1", row), ("programmes/P-1/1", programme)):
        answer = reader.get(f"/{path}/document.json")
        assert hashlib.sha256(answer.content).digest() == bytes(version.digest)
        assert "immutable" in answer["Cache-Control"]
        assert answer["Access-Control-Allow-Origin"] == "*"
    assert reader.get("/rules/R-9/1/document.json").status_code == 404
    assert reader.get("/programmes/P-9/1/document.json").status_code == 404


def test_open_data_holds_every_version(shelf: Shelf, reader: Client) -> None:
    shelf.publish_programme(code="P-1")
    shelf.publish(code="R-1", version=1)
    shelf.publish(code="R-1", version=2, in_force={"from": "2026-04-01"})
    said = json.loads(reader.get("/rules/open.json").content)
    assert [(one["code"], one["version"], one["state"]) for one in said["rules"]] == [
        ("R-1", 2, "in-force"),
        ("R-1", 1, "superseded"),
    ]
    assert said["rules"][0]["document"]["version"] == 2
    assert said["programmes"][0]["document"]["total"] == "20"


def test_the_table_is_read_by_spreadsheets_and_wakes_no_formula(
    shelf: Shelf, reader: Client
) -> None:
    shelf.publish(code="R-1", title='=HYPERLINK("http://x","点我")', title_en='+1,"2"')
    answer = reader.get("/rules/open.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["code"] == "R-1"
    assert row["title"] == '\'=HYPERLINK("http://x","点我")'
    assert row["title_en"] == '\'+1,"2"'
    assert row["owner_name"] == "示例开放大学"
    assert row["kinds"] == "course"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@SUM", "\t=1", "\r=1", "\n=1", "＝1", "＠x"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert opendata.cell(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert opendata.cell("R-1") == "R-1"
    assert opendata.cell(3) == "3"


def test_schemas_are_published(reader: Client) -> None:
    for name in schemas.names():
        answer = reader.get(f"/schemas/{name}.json")
        assert answer.status_code == 200
        assert answer.content == schemas.read(name)
    assert reader.get("/schemas/no-such.json").status_code == 404

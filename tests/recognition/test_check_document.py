"""What is wrong with a draft among all that it will stand among: everything at once, nothing published."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from creditbank.institutions.models import Framework
from creditbank.recognition.models import RuleVersion, VersionStatus
from creditbank.recognition.register import checking, publishing
from creditbank.recognition.register.checking import Checked, DocumentRefused
from creditbank.recognition.register.documents import PROGRAMMES, RULES
from tests.institutions.cast import approve, propose
from tests.recognition.shelf import Shelf, make_authority, make_shelf, written


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    shelf = make_shelf()
    shelf.publish_programme(code="P-1")
    return shelf


def check(shelf: Shelf, **changes: Any) -> Checked:
    return checking.check_document(RULES, shelf.institution, written(shelf.rule(**changes)))


def places(checked: Checked) -> set[tuple[str, str]]:
    return {(one.code, one.field or "") for one in checked.problems}


def warned(checked: Checked) -> set[tuple[str, str]]:
    return {(one.code, one.field or "") for one in checked.warnings}


def withdraw_framework() -> str:
    """Put an older version of the framework out of use."""
    old = Framework.objects.create(
        code="lqf",
        version=99,
        name="旧框架",
        name_en="Old framework",
        valid_from=date(2000, 1, 1),
        valid_until=date(2019, 12, 31),
    )
    return old.key


def test_a_good_rule_has_no_problem_and_no_warning(shelf: Shelf) -> None:
    checked = check(shelf)
    assert (checked.problems, checked.warnings) == ((), ())


def test_everything_wrong_is_told_at_once_with_its_place(shelf: Shelf) -> None:
    framework = withdraw_framework()
    checked = check(
        shelf,
        programmes=["P-1", "P-404"],
        sources={
            "outcome": {
                "all": [
                    {"item": ["NO-SUCH-ITEM"]},
                    {"level": {"framework": framework, "min": 4}},
                    {"completed": {"from": "2030-01-01", "until": "2030-12-31"}},
                ]
            }
        },
        in_force={"from": "2026-03-01", "until": "2026-12-31"},
        allocation={"to": [{"course": "NO-SUCH-COURSE", "credits": "3"}]},
        constraints=[{"cap": {"credits": "21"}}, {"never": {"courses": ["NO-COURSE-EITHER"]}}],
    )
    assert places(checked) >= {
        ("programme-unknown", "/programmes/1"),
        ("item-unknown", "/sources/outcome/all/0/item/0"),
        ("framework-withdrawn", "/sources/outcome/all/1/level/framework"),
        ("course-unknown", "/allocation/to/0/course"),
        ("cap-above-total", "/constraints/0/cap/credits"),
        ("course-unknown", "/constraints/1/never/courses/0"),
    }
    assert all(one.message for one in checked.problems)


def test_a_window_that_can_never_be_met_is_told(shelf: Shelf) -> None:
    checked = check(
        shelf,
        in_force={"from": "2026-03-01", "until": "2026-12-31"},
        sources={
            "outcome": {
                "all": [
                    {"completed": {"until": "2000-12-31"}},
                    {"age": {"years": 5}},
                ]
            }
        },
    )
    assert places(checked) == {("window-impossible", "/sources/outcome/all/1/age")}


def test_conditions_that_exclude_each_other_are_told(shelf: Shelf) -> None:
    checked = check(
        shelf,
        sources={"outcome": {"all": [{"score": {"min": "80"}}, {"score": {"max": "70"}}]}},
    )
    assert {code for code, _place in places(checked)} == {"contradiction"}


def test_a_rule_that_contradicts_another_is_told(shelf: Shelf) -> None:
    shelf.publish(code="R-1", allocation={"to": [{"course": "ENG-101", "credits": "3"}]})
    checked = check(shelf, code="R-2", allocation={"to": [{"course": "ENG-101", "credits": "2"}]})
    assert places(checked) == {("contradicts-another", "/allocation/to/0")}
    assert checked.problems[0].value == "R-1/1"


def test_another_rule_for_the_same_is_a_warning(shelf: Shelf) -> None:
    make_authority().publish(code="R-1")
    checked = check(shelf, code="R-2")
    assert checked.problems == ()
    assert warned(checked) == {("overlap", "/allocation/to/0")}


def test_a_rule_of_another_college_is_nobodys_business(shelf: Shelf) -> None:
    other = make_shelf()
    other.publish_programme(code="P-2")
    other.publish(code="R-1", allocation={"to": [{"course": "ENG-101", "credits": "2"}]})
    assert check(shelf, code="R-2").warnings == ()


def test_the_version_that_is_superseded_is_no_rival(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1, allocation={"to": [{"course": "ENG-101", "credits": "2"}]})
    shelf.publish(
        code="R-1",
        version=2,
        in_force={"from": "2026-03-15"},
        allocation={"to": [{"course": "ART-1"}]},
    )
    checked = check(shelf, code="R-2", in_force={"from": "2026-04-01"})
    assert (checked.problems, checked.warnings) == ((), ())


def test_days_without_a_version_are_a_warning(shelf: Shelf) -> None:
    shelf.publish(code="R-1", in_force={"from": "2026-03-01", "until": "2026-03-31"})
    checked = check(shelf, code="R-1", version=2, in_force={"from": "2026-04-02"})
    assert ("versions-gap", "/in_force/from") in warned(checked)


def test_a_new_version_that_reaches_back_is_a_warning(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    checked = check(shelf, code="R-1", version=2, in_force={"from": "2026-03-02"})
    assert ("begins-in-the-past", "/in_force/from") in warned(checked)


def test_a_rule_without_a_programme_is_a_warning(bank: Any, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    shelf = make_shelf()
    assert warned(check(shelf)) == {("no-programme", "/programmes")}


def test_a_rule_that_is_over_already_is_a_warning(shelf: Shelf) -> None:
    checked = check(shelf, in_force={"from": "2020-01-01", "until": "2020-12-31"})
    assert ("ended-already", "/in_force/until") in warned(checked)


def test_a_draft_may_be_kept_with_such_problems_but_not_filed(shelf: Shelf) -> None:
    row = shelf.draft(allocation={"to": [{"course": "NO-SUCH"}]})
    with pytest.raises(DocumentRefused) as refused:
        publishing.file_rule(rule=row, acting_user=shelf.clerk)
    assert [one.field for one in refused.value.problems] == ["/allocation/to/0/course"]
    assert RuleVersion.objects.get().status == VersionStatus.DRAFT


def test_what_became_wrong_after_filing_is_not_published(shelf: Shelf) -> None:
    row = shelf.filed(code="R-2", allocation={"to": [{"course": "ENG-101", "credits": "2"}]})
    shelf.publish(code="R-1")
    with pytest.raises(DocumentRefused) as refused:
        publishing.publish_rule(rule=row, acting_user=shelf.reviewer)
    assert [one.code for one in refused.value.problems] == ["contradicts-another"]
    row.refresh_from_db()
    assert (row.status, row.published_by) == (VersionStatus.FILED, None)


# -- programmes ---------------------------------------------------------------------------------
def test_a_programme_is_held_against_the_catalogue_and_the_frameworks(shelf: Shelf) -> None:
    foreign = approve(propose(make_shelf(stream=False).institution))
    document = shelf.programme(code="P-2", framework=withdraw_framework())
    document["courses"][0]["items"] = ["NO-SUCH"]
    document["courses"][1]["items"] = [foreign.code]
    checked = checking.check_document(PROGRAMMES, shelf.institution, written(document))
    assert places(checked) == {
        ("framework-withdrawn", "/framework"),
        ("item-unknown", "/courses/0/items/0"),
    }
    assert warned(checked) == {("native-item-of-another", "/courses/1/items/0")}

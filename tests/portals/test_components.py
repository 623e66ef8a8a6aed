"""What the pages are made of: states, dates, forms, error pages, files served by us alone."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import translation

from creditbank.portals.icons import ICONS
from creditbank.portals.states import CHECKS, STATES
from creditbank.portals.templatetags import bank

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = ROOT / "creditbank" / "portals" / "static"
VENDOR = STATIC / "vendor"


def draw(source: str, **context: object) -> str:
    return Template("{% load i18n bank %}" + source).render(Context(context))


# -- states -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STATES))
def test_a_state_is_a_word_an_icon_and_a_colour(name: str) -> None:
    drawn = draw("{% state name %}", name=name)
    assert str(STATES[name].label) in drawn
    assert "<svg" in drawn
    assert f"state-{STATES[name].tone}" in drawn
    assert f".state-{STATES[name].tone} " in (STATIC / "css" / "bank.css").read_text("utf-8")


def test_red_says_invalid_and_nothing_else() -> None:
    red = {name for name, drawn in STATES.items() if drawn.tone == "bad"}
    assert red == {"invalid", "check-invalid", "revoked", "line-reversed", "compromised"}


def test_a_state_without_a_drawing_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="no state named 'fine'"):
        draw('{% state "fine" %}')


def test_could_not_be_checked_is_drawn_neither_as_passed_nor_as_failed() -> None:
    tones = {STATES[f"check-{result}"].tone for result in ("valid", "invalid")}
    assert STATES["check-undetermined"].tone not in tones
    assert STATES["undetermined"].tone not in {STATES["valid"].tone, STATES["invalid"].tone}


def test_every_icon_that_a_template_names_is_there() -> None:
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'\{% icon "([^"]+)"', path.read_text("utf-8"))
    }
    assert named
    assert named <= set(ICONS)
    with pytest.raises(TemplateSyntaxError, match="no icon named 'unicorn'"):
        draw('{% icon "unicorn" %}')


# -- dates, amounts, identifiers --------------------------------------------------------------


def test_a_date_is_written_as_the_reader_writes_it() -> None:
    day = date(2026, 6, 17)
    with translation.override("zh-hans"):
        assert bank.civil_date(day) == "2026年6月17日"
    with translation.override("en"):
        assert bank.civil_date(day) == "17 June 2026"


def test_an_instant_is_told_in_the_time_of_the_province() -> None:
    late = datetime(2026, 6, 16, 18, 5, tzinfo=UTC)
    with translation.override("zh-hans"):
        assert bank.moment(late) == "2026年6月17日 02:05"
        assert bank.civil_date(late) == "2026年6月17日"
    with translation.override("en"):
        assert bank.moment(late) == "17 June 2026, 02:05"


@pytest.mark.parametrize(
    ("amount", "written"),
    [(Decimal("0"), "0.00"), (Decimal("3.5"), "3.50"), (Decimal("-12480.25"), "-12,480.25")],
)
def test_credits_always_have_two_decimals(amount: Decimal, written: str) -> None:
    assert bank.credits(amount) == written


def test_a_code_is_shown_in_groups_of_four() -> None:
    assert bank.grouped("ABCDEFGHJKMN") == "ABCD EFGH JKMN"
    assert bank.grouped("ABCD-EFGH") == "ABCD EFGH"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/156.0 MicroMessenger/8.0", "WeChat · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Safari/605", "Safari · iPhone"),
        ("curl/8.5", "curl/8.5"),
    ],
)
def test_a_browser_is_named_by_its_own_name(header: str, said: str) -> None:
    assert bank.browser(header) == said


# -- forms ------------------------------------------------------------------------------------


class RecordForm(forms.Form):
    item = forms.CharField(label="课程", help_text="名录中的代码")
    amount = forms.DecimalField(label="学分")
    kind = forms.ChoiceField(label="类型", choices=[("a", "甲")], widget=forms.RadioSelect)
    seen = forms.BooleanField(label="已核对证件")
    note = forms.CharField(label="备注", required=False)
    draft = forms.CharField(widget=forms.HiddenInput, required=False)


def drawn_form(form: forms.Form) -> str:
    return draw("{% for f in form %}{% field f %}{% endfor %}", form=form)


def test_a_field_is_tied_to_its_label_its_hint_and_its_errors() -> None:
    html = drawn_form(RecordForm({"amount": "abc"}))
    assert 'aria-describedby="id_item_hint id_item_error"' in html
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    for named in re.findall(r'\b(?:for|aria-describedby)="([^"]+)"', html):
        assert set(named.split()) <= ids
    assert 'aria-invalid="true"' in html


def test_only_what_may_be_left_out_is_marked_so() -> None:
    with translation.override("zh-hans"):
        html = drawn_form(RecordForm())
    assert html.count("（选填）") == 1


def test_the_summary_tells_all_errors_at_once_and_leads_to_each_field() -> None:
    form = RecordForm({"amount": "abc"})
    form.is_valid()
    form.add_error(None, "整张表的错误")
    html = draw('{% include "components/error_summary.html" %}', form=form)
    page = drawn_form(form)
    targets = re.findall(r'href="#([^"]+)"', html)
    assert targets == ["id_item", "id_amount", "id_kind_0", "id_seen"]
    assert all(f'id="{target}"' in page for target in targets)
    assert "整张表的错误" in html


def test_the_table_of_refused_rows_names_row_field_value_and_expectation() -> None:
    problem = SimpleNamespace(
        row=19, field="学分", message="不是 0.01 的倍数", value="<1.234>", expected="1.23"
    )
    html = draw('{% include "components/problems.html" %}', problems=[problem])
    for part in ("19", "学分", "不是 0.01 的倍数", "&lt;1.234&gt;", "1.23"):
        assert part in html


# -- components -------------------------------------------------------------------------------


def test_work_is_asked_about_only_until_it_has_ended() -> None:
    source = '{% include "components/progress.html" %}'
    job = {"done": 3, "total": 7, "label": "导入", "poll_url": "/jobs/x"}
    assert 'hx-get="/jobs/x"' in draw(source, state="running", **job)
    assert 'max="7"' in draw(source, state="running", **job)
    assert "hx-get" not in draw(source, state="done", **job)
    assert "hx-get" not in draw(source, state="failed", **job)


def test_the_seven_checks_are_listed_by_number_with_their_result() -> None:
    checks = [
        SimpleNamespace(number=number, result="undetermined", sentence=f"第{number}句")
        for number in CHECKS
    ]
    html = draw('{% include "components/checks.html" %}', checks=checks)
    assert html.count("state-none") == 7
    for number, title in CHECKS.items():
        assert bank.circled(number) in html
        assert str(title) in html


def test_a_long_list_keeps_the_question_while_its_pages_are_turned() -> None:
    request = RequestFactory().get("/me/records", {"state": "used", "page": "7"})
    page = Paginator(range(2000), 50).get_page(7)
    html = render_to_string("components/pagination.html", {"page": page}, request)
    assert "?state=used&amp;page=8" in html
    assert len(re.findall(r"<li>", html)) < 12


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_can_be_read(path: Path) -> None:
    get_template(path.relative_to(ROOT / "templates").as_posix())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_an_inline_script_or_style(path: Path) -> None:
    source = path.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"<style\b", source)
    assert not re.search(r"\son[a-z]+\s*=", source)
    assert "javascript:" not in source
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert " src=" in tag or 'type="application/json"' in tag


@pytest.mark.parametrize("name", ["400.html", "500.html"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_for_a_broken_request_needs_no_request(name: str, language: str) -> None:
    with translation.override(language):
        html = render_to_string(name)
    assert f'<html lang="{language}"' in html
    assert '<a class="btn' in html


def test_an_error_tells_the_number_under_which_it_is_kept() -> None:
    assert "K7QD3M8F" in render_to_string("500.html", {"incident": "K7QD3M8F"})


# -- files from elsewhere ---------------------------------------------------------------------


def test_every_vendored_file_is_the_one_that_was_taken_in() -> None:
    listed = dict(
        reversed(line.split("  ", 1))
        for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    present = {
        path.relative_to(VENDOR).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in ("SHA256SUMS", "README.md")
    }
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_no_style_sheet_fetches_anything_from_elsewhere() -> None:
    for path in STATIC.rglob("*.css"):
        source = path.read_text("utf-8")
        assert "sourceMappingURL" not in source
        assert "@import" not in source
        for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", source):
            assert target.startswith("data:") or (path.parent / target).exists(), target


def test_our_own_style_stays_small() -> None:
    assert len((STATIC / "css" / "bank.css").read_text("utf-8").splitlines()) < 300

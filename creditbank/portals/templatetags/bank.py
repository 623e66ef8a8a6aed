"""Tags and filters of the bank's pages: states, icons, form fields, dates, credits.

Everything a reader sees twice is written here once: a date is always
2026年6月17日, an amount always has two decimals, a state always has a word, an
icon and a colour.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django import template
from django.forms import BaseForm, BoundField
from django.forms.widgets import (
    CheckboxInput,
    CheckboxSelectMultiple,
    FileInput,
    RadioSelect,
    Select,
)
from django.utils import dateformat, timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from creditbank.clock import PROVINCE
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import Outcome
from creditbank.portals import outcomewords
from creditbank.portals.icons import ICONS
from creditbank.portals.states import CHECKS, STATES
from creditbank.recording import labels

register = template.Library()

_CENT: Final = Decimal("0.01")
_TONE_ICONS: Final = {
    "ok": "circle-check",
    "note": "alert-triangle",
    "bad": "circle-x",
    "none": "help-circle",
    "info": "info-circle",
}


def _chinese() -> bool:
    """Tell whether the page is in Chinese (the bank's first language)."""
    return (get_language() or "zh-hans").startswith("zh")


# -- dates and figures ------------------------------------------------------------------------


@register.filter
def civil_date(value: date | None) -> str:
    """Write a civil date: 2026年6月17日, in English 17 June 2026; nothing for None.

    An aware datetime gives the date in the province.
    """
    if value is None:
        return ""
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = value.astimezone(PROVINCE).date()
    return dateformat.format(value, "Y年n月j日" if _chinese() else "j F Y")


@register.filter
def moment(value: datetime | None) -> str:
    """Write an instant to the minute, in the province's time: 2026年6月17日 14:05."""
    if value is None:
        return ""
    local = value.astimezone(PROVINCE)
    return dateformat.format(local, "Y年n月j日 H:i" if _chinese() else "j F Y, H:i")


@register.filter
def credits(value: Decimal | int | None) -> str:  # noqa: A001 - the bank's own word
    """Write an amount of credits with two decimals and grouped thousands: 1,204.50."""
    if value is None:
        return ""
    return f"{Decimal(value).quantize(_CENT):,}"


@register.filter
def count(value: int | None) -> str:
    """Write a whole number with grouped thousands: 12,480."""
    return "" if value is None else f"{value:,}"


@register.filter
def listed(names: Iterable[object]) -> str:
    """Join names as the reader's language does: 甲、乙 or A, B."""
    return labels.listed(names)


@register.filter
def grade(text: str) -> str:
    """Write a grade as it was recorded, for readers of English with its meaning."""
    return outcomewords.grade(text)


@register.filter
def titled(outcome: Outcome | None) -> str:
    """Name an outcome in the reader's language; nothing for None (recognised credits have none)."""
    return "" if outcome is None else outcomewords.title(outcome)


# -- identifiers ------------------------------------------------------------------------------


@register.filter
def account(value: int | None) -> str:
    """Print an account number with its check character: ABCD-EFGH-JKLM."""
    return "" if value is None else format_account(value)


@register.filter
def b64(value: bytes | memoryview | None) -> str:
    """Write bytes in base64, as the ledger's text formats do."""
    return "" if value is None else base64.b64encode(value).decode("ascii")


@register.filter
def hexadecimal(value: bytes | memoryview | None) -> str:
    """Write bytes in lower-case hexadecimal digits."""
    return "" if value is None else bytes(value).hex()


@register.filter
def grouped(value: str | None) -> str:
    """Write a code in groups of four, the way it is printed and read aloud."""
    plain = (value or "").replace("-", "").replace(" ", "")
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


# What browsers call themselves, the more particular name first: Edge also says
# Chrome, and Chrome also says Safari.
_BROWSERS: Final = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("QQBrowser/", "QQ Browser"),
    ("UCBrowser/", "UC Browser"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser(user_agent: str) -> str:
    """Name the browser and the system that a User-Agent header claims: "Chrome · Windows"."""
    named = (
        next((name for mark, name in marks if mark in user_agent), "")
        for marks in (_BROWSERS, _SYSTEMS)
    )
    return " · ".join(name for name in named if name) or user_agent[:40]


# -- icons and states -------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon into the page; decoration only, the word stands beside it.

    Raises TemplateSyntaxError for a name that `icons.ICONS` does not hold.
    """
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"there is no icon named {name!r}")
    paths = format_html_join("", '<path d="{}"/>', ((path,) for path in ICONS[name]))
    return format_html(
        '<svg class="icon{}" width="24" height="24" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="2" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        f" {extra}" if extra else "",
        paths,
    )


@register.simple_tag
def state(name: str, label: str | Promise = "") -> SafeString:
    """Draw a state as a badge of icon, word and colour; `label` replaces the usual word.

    Raises TemplateSyntaxError for a state that `states.STATES` does not hold: a
    state without a drawing would be read as "everything is in order".
    """
    if name not in STATES:
        raise template.TemplateSyntaxError(f"there is no state named {name!r}")
    drawn = STATES[name]
    return format_html(
        '<span class="state state-{}">{}<span>{}</span></span>',
        drawn.tone,
        icon(drawn.icon),
        label or drawn.label,
    )


@register.filter
def tone(name: str) -> str:
    """Return the tone (`ok`, `note`, `bad`, `none`, `info`) of a state, for a class name."""
    return STATES[name].tone


@register.filter
def state_icon(name: str) -> str:
    """Return the name of the icon that belongs to a state."""
    return STATES[name].icon


@register.filter
def message_tone(level: str) -> str:
    """Return the tone of a message of django.contrib.messages by its level tag.

    An error of an action is amber: red belongs to documents that are invalid.
    """
    return {"success": "ok", "warning": "note", "error": "note"}.get(level, "info")


@register.filter
def tone_icon(tone_name: str) -> str:
    """Return the name of the icon that goes with a tone."""
    return _TONE_ICONS[tone_name]


@register.filter
def check_title(number: int) -> str | Promise:
    """Name one of the seven checks of a verification by its number (1 to 7)."""
    return CHECKS[number]


@register.filter
def circled(number: int) -> str:
    """Write 1 to 20 as a circled digit (U+2460 to U+2473), as the checks are numbered."""
    return chr(0x245F + number) if 1 <= number <= 20 else str(number)


# -- forms ------------------------------------------------------------------------------------


def _control_class(field: BoundField) -> str:
    """Name Tabler's class for the kind of control that draws a field."""
    widget = field.field.widget
    if isinstance(widget, (CheckboxInput, CheckboxSelectMultiple, RadioSelect)):
        return "form-check-input"
    if isinstance(widget, Select):
        return "form-select"
    return "form-control"


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str | Promise = "", hint: str | Promise = "") -> dict[str, Any]:
    """Draw a form field: label, hint, control, and all its errors, tied together for readers.

    `label` and `hint` replace the field's own. The control refers to hint and
    errors by `aria-describedby`, so that a screen reader reads them with it.
    """
    widget = bound.field.widget
    hint = hint or bound.help_text
    described = []
    if hint:
        described.append(f"{bound.auto_id}_hint")
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    known = str(widget.attrs.get("class", ""))
    attrs: dict[str, str | bool] = {
        "class": f"{known} {_control_class(bound)}{' is-invalid' if bound.errors else ''}".strip()
    }
    if widget.attrs.get("placeholder") == bound.label or label:
        # A placeholder that repeats the label says nothing and is too pale to read.
        attrs["placeholder"] = False
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if bound.field.required and not bound.form.use_required_attribute:
        attrs["aria-required"] = "true"
    if isinstance(widget, (CheckboxSelectMultiple, RadioSelect)):
        # The options are drawn one by one and take their class from the widget.
        widget.attrs["class"] = attrs["class"]
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "hint": hint,
        "hidden": bound.is_hidden,
        "single_check": isinstance(widget, CheckboxInput),
        "group": isinstance(widget, (CheckboxSelectMultiple, RadioSelect)),
        "file": isinstance(widget, FileInput),
        "optional": not bound.field.required,
    }


@register.simple_tag
def form_problems(form: BaseForm) -> list[tuple[str, str, str]]:
    """List all errors of a form as (id of the control, label, sentence), in the fields' order.

    Errors of the form as a whole come first and have no id.
    """
    found: list[tuple[str, str, str]] = [("", "", str(e)) for e in form.non_field_errors()]
    for bound in form:
        # A group of radio buttons has no label of its own: lead to its first button.
        target = bound.id_for_label or f"{bound.auto_id}_0"
        found.extend((target, str(bound.label), str(e)) for e in bound.errors)
    return found


# -- pages of a list --------------------------------------------------------------------------


@register.simple_tag
def page_window(page: Any) -> Iterable[int | str]:
    """Give the page numbers to show around `page` (a Paginator's page), elided in the middle."""
    window: Iterable[int | str] = page.paginator.get_elided_page_range(
        page.number, on_each_side=1, on_ends=1
    )
    return window


@register.filter
def percent(done: int, total: int) -> int:
    """Return done of total as a whole percentage, 0 to 100; 0 when the total is not known."""
    return min(100, done * 100 // total) if total else 0

"""Tags and filters of the pages about recognition: rings and bars of credits, plain figures, short phrases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from creditbank.institutions.models import in_english
from creditbank.portals.ring import RADIUS, Share
from creditbank.recognition.deciding.numbers import PRE_APPROVAL

register = template.Library()

_MARKS: Final = {
    "colon": ("：", ": "),
    "comma": ("，", ", "),
    "and": ("、", ", "),
    "semicolon": ("；", "; "),
    "stop": ("。", "."),
}
"""Punctuation between parts that are put together: Chinese, English."""


@register.simple_tag
def mark(name: str) -> str:
    """Write a punctuation mark as the reader's language does."""
    chinese, english = _MARKS[name]
    return english if in_english() else chinese


@register.filter
def figure(value: Decimal | int | None) -> str:
    """Write an amount of credits the way rules do: 41, 3.5, 0.25, without superfluous zeroes."""
    if value is None:
        return ""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- rings and bars ---------------------------------------------------------------------------
@register.inclusion_tag("components/ring.html")
def ring(share: Share, name: str) -> dict[str, Any]:
    """Draw a share of credits as a ring; `name` keeps the patterns of one page apart."""
    return _drawn(share, name) | {"radius": RADIUS}


@register.inclusion_tag("components/bar.html")
def bar(share: Share, name: str) -> dict[str, Any]:
    """Draw a share of credits as a bar; its figures stand in the table around it."""
    return _drawn(share, name)


def _drawn(share: Share, name: str) -> dict[str, Any]:
    counted, pending, possible = share.parts
    return {
        "share": share,
        "counted": counted,
        "pending": pending,
        "possible": possible,
        "name": name,
    }


@register.filter
def share_words(share: Share) -> str:
    """Say a share in one phrase: what is asked for, counted, pending, possible and missing."""
    facts = {
        "needed": figure(share.needed),
        "counted": figure(share.counted),
        "pending": figure(share.pending),
        "possible": figure(share.possible),
        "missing": figure(share.missing_then),
    }
    parts = [gettext("应修 %(needed)s 学分，已计入 %(counted)s")]
    if share.pending:
        parts.append(gettext("申请中待定 %(pending)s"))
    if share.possible:
        parts.append(gettext("还可申请 %(possible)s"))
    if share.pending or share.possible:
        parts.append(gettext("此外还差 %(missing)s"))
    else:
        parts.append(gettext("还差 %(missing)s"))
    return mark("comma").join(parts) % facts


# -- short phrases ----------------------------------------------------------------------------
@register.filter
def days_left(days: int) -> str:
    """Say how many civil days are left; 0: today is the last one."""
    if days == 0:
        return gettext("今天是最后一天")
    return ngettext("还有 %(total)s 天", "还有 %(total)s 天", days) % {"total": days}


@register.simple_tag
def rule_link(code: str, version: int) -> SafeString | str:
    """Lead to a rule's version; a pre-approval has no page of its own."""
    if code.startswith(f"{PRE_APPROVAL}-"):
        return gettext("预认定 %(code)s") % {"code": code}
    words = gettext("规则 %(code)s 第 %(version)s 版") % {"code": code, "version": version}
    address = reverse("rule_version", args=[code, version])
    return format_html('<a class="inline-link" href="{}">{}</a>', address, words)

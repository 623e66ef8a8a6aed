"""Every sentence a reader may meet has its English one, and the check for it can fail."""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from django.utils import translation

from creditbank import i18n, mofile

Workspace = Callable[..., tuple[Path, Path]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Make a small project of its own: a template, a module, and a file of translations."""

    def make(
        *, template: str = "", module: str = "", english: dict[Any, Any] | None = None
    ) -> tuple[Path, Path]:
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates" / "page.html").write_text(template, encoding="utf-8")
        (tmp_path / "creditbank").mkdir()
        (tmp_path / "creditbank" / "words.py").write_text(module, encoding="utf-8")
        po = tmp_path / "locale" / "en" / "LC_MESSAGES" / "django.po"
        catalog = i18n.extracted(tmp_path)
        for text, sentence in (english or {}).items():
            message = catalog.get(text) or catalog.add(text)
            message.string = sentence
        i18n.save(catalog, po)
        mofile.compile_file(po)
        return tmp_path, po

    return make


def codes(root: Path, po: Path) -> list[str]:
    return sorted(fault.code for fault in i18n.check(root, po))


def test_every_sentence_of_the_bank_has_its_english_one() -> None:
    faults = [str(fault) for fault in i18n.check()]
    assert not faults, "\n".join(faults)


def test_the_bank_has_many_sentences_and_their_files_are_named() -> None:
    catalog = i18n.extracted()
    message = catalog.get("核验证明")
    assert len(catalog) > 300
    assert message is not None
    assert ("creditbank/portals/context.py", 0) in message.locations


def test_a_page_in_english_says_the_english_sentence() -> None:
    with translation.override("en"):
        assert translation.gettext("核验证明") == "Verify"
        counted = translation.ngettext("有 %(total)s 处需要改正", "有 %(total)s 处需要改正", 1)
        assert counted % {"total": 1} == "1 thing needs correcting"
    with translation.override("zh-hans"):
        assert translation.gettext("核验证明") == "核验证明"


def test_a_complete_translation_has_no_faults(workspace: Workspace) -> None:
    root, po = workspace(
        template='{% load i18n %}{% translate "余额" %}', english={"余额": "Balance"}
    )
    assert codes(root, po) == []


@pytest.mark.parametrize(
    "template",
    [
        '{% load i18n %}{% translate "余额" %}',
        '{% load i18n %}{% translate "余额" as title %}{{ title }}',
        "{% load i18n %}{% blocktranslate %}余额{% endblocktranslate %}",
        '{% load i18n %}<div>\n      {% if x %}\n   {% translate "余额" %}\n  {% endif %}</div>',
        '{{ name|default:_("余额") }}',
    ],
)
def test_a_sentence_of_a_template_without_english_is_found(
    workspace: Workspace, template: str
) -> None:
    root, po = workspace(template=template)
    assert codes(root, po) == ["english-missing"]


@pytest.mark.parametrize(
    "module",
    [
        'from django.utils.translation import gettext\nx = gettext("余额")\n',
        'from django.utils.translation import gettext_lazy as _\nx = _("余额")\n',
        'from django.utils.translation import pgettext_lazy\nx = pgettext_lazy("账", "余额")\n',
        'from django.utils.translation import ngettext\nx = ngettext("余额", "余额", 2)\n',
    ],
)
def test_a_sentence_of_the_code_without_english_is_found(workspace: Workspace, module: str) -> None:
    root, po = workspace(module=module)
    assert codes(root, po) == ["english-missing"]


@pytest.mark.parametrize(
    ("template", "english", "fault"),
    [
        (
            "{% load i18n %}{% blocktranslate %}共 {{ n }} 条{% endblocktranslate %}",
            {"共 %(n)s 条": "in all"},
            "placeholders-differ",
        ),
        ('{% load i18n %}{% translate "余额" %}', {"余额": "余额"}, "english-not-english"),
        ('{% load i18n %}{% translate "余额" %}', {"余额": "The 余款"}, "english-not-english"),
        ('{% load i18n %}{% translate "Balance" %}', {"Balance": "Balance"}, "id-not-chinese"),
        ("", {"旧话": "an old saying"}, "not-used"),
        ("<p>余额</p>", None, "outside-translation"),
        ("{{ one }}、{{ two }}", None, "outside-translation"),
        ('{{ names|join:"、" }}', None, "outside-translation"),
        ('{% include "x.html" with title="余额" %}', None, "outside-translation"),
        ('{{ name|default:"余额" }}', None, "outside-translation"),
    ],
)
def test_a_faulty_translation_is_named(
    workspace: Workspace, template: str, english: dict[str, str] | None, fault: str
) -> None:
    root, po = workspace(template=template, english=english)
    assert codes(root, po) == [fault]


def test_an_english_sentence_may_quote_the_words_a_column_has_to_hold(
    workspace: Workspace,
) -> None:
    root, po = workspace(
        template='{% load i18n %}{% translate "等级须为初级或高级" %}',
        english={"等级须为初级或高级": "The level must be 初级 or 高级."},
    )
    assert codes(root, po) == []


def test_an_unsure_translation_is_not_taken_for_one(workspace: Workspace) -> None:
    root, po = workspace(
        template='{% load i18n %}{% translate "余额" %}', english={"余额": "Balance"}
    )
    text = po.read_text(encoding="utf-8")
    po.write_text(text.replace('msgid "余额"', '#, fuzzy\nmsgid "余额"'), encoding="utf-8")
    mofile.compile_file(po)
    assert codes(root, po) == ["english-missing", "english-unsure"]


def test_a_translation_that_was_not_compiled_is_found(workspace: Workspace) -> None:
    root, po = workspace(
        template='{% load i18n %}{% translate "余额" %}', english={"余额": "Balance"}
    )
    text = po.read_text(encoding="utf-8")
    po.write_text(text.replace("Balance", "The balance"), encoding="utf-8")
    assert codes(root, po) == ["not-compiled"]


def test_a_merge_takes_the_first_sentence_and_guesses_nothing(workspace: Workspace) -> None:
    root, _po = workspace(
        template='{% load i18n %}{% translate "余额" %}{% translate "余额明细" %}'
    )
    first, second = i18n.translations(Path("none.po")), i18n.translations(Path("none.po"))
    first.add("余额", "Balance")
    second.add("余额", "Remainder")
    merged = i18n.merged(i18n.extracted(root), first, second)
    assert merged.get("余额").string == "Balance"
    assert merged.get("余额明细").string == ""


def test_the_compiled_form_is_read_by_the_standard_library(workspace: Workspace) -> None:
    _root, po = workspace(
        template='{% load i18n %}{% translate "余额" %}', english={"余额": "Balance"}
    )
    assert gettext.GNUTranslations(io.BytesIO(mofile.compiled(po))).gettext("余额") == "Balance"


def test_saving_twice_writes_the_same_bytes(workspace: Workspace) -> None:
    _root, po = workspace(
        template='{% load i18n %}{% translate "余额" %}', english={"余额": "Balance"}
    )
    before = po.read_bytes()
    i18n.save(i18n.translations(po), po)
    assert po.read_bytes() == before


def test_babel_reads_the_same_sentences_from_the_compiled_form() -> None:
    machine = read_mo(io.BytesIO(mofile.compiled(i18n.PO)))
    known = i18n.translations()
    said = [message for message in known if message.id and i18n._is_said(message)]
    assert len(said) > 300
    for message in said:
        text = message.id if isinstance(message.id, str) else message.id[0]
        # Babel reads a context back as bytes.
        context = message.context.encode() if message.context else None
        assert i18n._said(machine.get(text, context)) == i18n._said(message)


def test_a_compiled_plural_counts_as_english_does(workspace: Workspace) -> None:
    _root, po = workspace(
        template="{% load i18n %}{% blocktranslate count n=n %}{{ n }} 条{% plural %}{{ n }} 条"
        "{% endblocktranslate %}",
        english={("%(n)s 条", "%(n)s 条"): ("%(n)s entry", "%(n)s entries")},
    )
    english = gettext.GNUTranslations(io.BytesIO(mofile.compiled(po)))
    said = [english.ngettext("%(n)s 条", "%(n)s 条", n) % {"n": n} for n in (0, 1, 2)]
    assert said == ["0 entries", "1 entry", "2 entries"]


@pytest.mark.parametrize("line", ["msgid no quotes", 'msgid "open', '"before any keyword"', "x"])
def test_a_line_that_no_po_file_has_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    po = tmp_path / "django.po"
    po.write_text(f'# first\n{line}\nmsgstr "x"\n', encoding="utf-8")
    with pytest.raises(mofile.PoFileMalformed) as refused:
        mofile.compiled(po)
    assert refused.value.facts == {"path": "django.po", "line": 2}

"""The bank's messages: found in code and templates, translated in one file, and checked.

The sentences in code and templates are Chinese and serve as the message ids; the
English ones stand in `locale/en/LC_MESSAGES/django.po`. Templates are turned into
Python by Django's own `templatize`, and Babel reads and merges, so that no gettext
program has to be installed.

Babel is a tool of the developers: `creditbank.mofile` compiles without it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.template.base import DebugLexer, TokenType
from django.utils.translation import templatize

from creditbank import mofile

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ("creditbank", "learners", "certificates", "api")
TEMPLATES: Final = "templates"
PO: Final = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"

# Django's names for gettext beside Babel's own.
KEYWORDS: Final = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

_HAN: Final = re.compile("[\u3400-\u9fff\U00020000-\U000323af]")
_CHINESE: Final = re.compile(f"{_HAN.pattern}|[，。、；：？！（）「」《》“”]")
"""Chinese writing: its characters, and its punctuation, which no English page may show."""
_HAN_WORD: Final = re.compile(f"{_HAN.pattern}+")
_QUOTED_MAX: Final = 4
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[a-z]|%[a-z]|\{(\w*)\}")
_TRANSLATION_TAG: Final = re.compile(r"^(blocktranslate|blocktrans)\b")
_END_TAG: Final = re.compile(r"^end(blocktranslate|blocktrans)\b")
_SAYS_TEXT: Final = re.compile(r"""_\(\s*("[^"]*"|'[^']*')\s*\)""")
_QUOTED: Final = re.compile(r""""[^"]*"|'[^']*'""")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong with a message: where it stands, the message, and what is the matter."""

    code: str
    place: str
    text: str

    def __str__(self) -> str:
        """Write the fault on one line."""
        return f"{self.code}: {self.place}: {self.text}"


def _files(root: Path) -> Iterator[Path]:
    """Give the source files and templates that may hold messages, in a stable order."""
    for folder in SOURCES:
        yield from sorted(
            path for path in (root / folder).rglob("*.py") if "migrations" not in path.parts
        )
        yield from sorted((root / folder).rglob("templates/**/*.html"))
    for suffix in ("html", "txt"):
        yield from sorted((root / TEMPLATES).rglob(f"*.{suffix}"))


def _messages_of(path: Path) -> Iterable[tuple[str | tuple[str, ...], list[str], str | None]]:
    """Give the messages of one file as (id or ids, comments, context)."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # The calls that templatize leaves keep the template's indentation, which
        # means nothing and would not be Python's.
        lines = templatize(source, origin=str(path)).splitlines()
        source = "\n".join(line.lstrip() for line in lines)
    found = extract(
        "python",
        io.BytesIO(source.encode("utf-8")),
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        options={"encoding": "utf-8"},
    )
    for _line, message, comments, context in found:
        yield message, comments, context


def _new_catalog() -> Catalog:
    """Make a catalogue for English, whose header names no date, tool or person."""
    catalog = Catalog(locale="en", project="creditbank", charset="utf-8", fuzzy=False)
    catalog.header_comment = "# English sentences of the credit bank; the ids are the Chinese ones."
    return catalog


def extracted(root: Path = ROOT) -> Catalog:
    """Collect every message of the code and the templates under `root`, untranslated.

    Each message names the files that hold it, without line numbers, so that the
    file of translations changes only when a message does.
    """
    catalog = _new_catalog()
    for path in _files(root):
        place = path.relative_to(root).as_posix()
        for message, comments, context in _messages_of(path):
            catalog.add(
                message,
                locations=[(place, 0)],
                auto_comments=comments,
                context=context,
            )
    return catalog


def translations(path: Path = PO) -> Catalog:
    """Read the English sentences; an empty catalogue where there is no file yet."""
    if not path.exists():
        return _new_catalog()
    with path.open("rb") as file:
        return read_po(file, locale="en", charset="utf-8", abort_invalid=True)


def _key(message: Message) -> tuple[str | None, str]:
    """Return what identifies a message: its context and its (first) id."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return message.context, text


def _by_key(catalog: Catalog) -> dict[tuple[str | None, str], Message]:
    return {_key(message): message for message in catalog if message.id}


def _said(message: Message) -> tuple[str, ...]:
    """Return the sentences of a message: one, or two where it counts something."""
    if isinstance(message.string, str):
        return (message.string,)
    return tuple(message.string or ())


def _is_said(message: Message) -> bool:
    """Tell whether a message has an English sentence (both of them, where there are two)."""
    said = _said(message)
    return bool(said) and all(said)


def merged(found: Catalog, *known: Catalog) -> Catalog:
    """Give the messages of `found` the sentences that the first of `known` has for them.

    Nothing is guessed from a similar message: what no catalogue translates stays empty.
    """
    sentences: dict[tuple[str | None, str], Message] = {}
    for catalog in known:
        for key, message in _by_key(catalog).items():
            if _is_said(message) and not message.fuzzy:
                sentences.setdefault(key, message)
    result = _new_catalog()
    for message in found:
        if not message.id:
            continue
        source = sentences.get(_key(message))
        said = _said(source) if source is not None else ("",)
        result.add(
            message.id,
            said[0] if isinstance(message.id, str) else (said[0], said[-1]),
            locations=sorted(message.locations),
            auto_comments=message.auto_comments,
            context=message.context,
            flags=message.flags,
        )
    return result


def save(catalog: Catalog, path: Path = PO) -> None:
    """Write a catalogue to a .po file, sorted by message, without line numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, sort_output=True, include_lineno=False)
    # The header's dates and tool name would change without any message changing, and
    # the rest of these lines would name nobody.
    lines = buffer.getvalue().decode("utf-8").split("\n")
    dated = (
        '"POT-Creation-Date',
        '"PO-Revision-Date',
        '"Generated-By',
        '"Last-Translator',
        '"Language-Team',
        '"Report-Msgid',
        '"Project-Id',
    )
    kept = [line for line in lines if not line.startswith(dated)]
    path.write_text("\n".join(kept), encoding="utf-8")


# -- what must hold ---------------------------------------------------------------------------


def _placeholders(text: str) -> set[str]:
    return {match.group(0) for match in _PLACEHOLDER.finditer(text)}


def _is_english(sentence: str, original: str) -> bool:
    """Tell whether a sentence is English; it may quote short Chinese words of the original.

    So a reader of English is told the very words that a column has to hold.
    """
    quoted = _HAN_WORD.findall(sentence)
    return not quoted or (
        bool(re.search("[A-Za-z]", sentence))
        and all(len(word) <= _QUOTED_MAX and word in original for word in quoted)
    )


def _faults_of(message: Message) -> Iterator[Fault]:
    """Check one message that is used, with its English sentence."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    said = _said(message)
    place = ", ".join(sorted({file for file, _line in message.locations})) or "?"
    if not _CHINESE.search(ids[0]):
        yield Fault(code="id-not-chinese", place=place, text=ids[0])
    if not _is_said(message):
        yield Fault(code="english-missing", place=place, text=ids[0])
        return
    if message.fuzzy:
        yield Fault(code="english-unsure", place=place, text=ids[0])
    for sentence in said:
        if not _is_english(sentence, ids[0]):
            yield Fault(code="english-not-english", place=place, text=sentence)
    # The singular may leave the number out ("one entry"); the last form may not.
    if _placeholders(said[-1]) != _placeholders(ids[-1]):
        yield Fault(code="placeholders-differ", place=place, text=ids[0])


def untranslatable(root: Path = ROOT) -> Iterator[Fault]:
    """Find Chinese text in templates that stands outside the translation tags."""
    for path in _files(root):
        if path.suffix == ".py":
            continue
        inside = False
        for token in DebugLexer(path.read_text(encoding="utf-8")).tokenize():
            text = token.contents
            if token.token_type is TokenType.BLOCK:
                if _TRANSLATION_TAG.match(text):
                    inside = True
                elif _END_TAG.match(text):
                    inside = False
                elif not re.match(r"^(translate|trans)\b", text):
                    rest = _SAYS_TEXT.sub("", text)
                    if any(_CHINESE.search(quoted) for quoted in _QUOTED.findall(rest)):
                        yield _loose(path, root, token.lineno, text)
            elif token.token_type is TokenType.VAR:
                if _CHINESE.search(_SAYS_TEXT.sub("", text)):
                    yield _loose(path, root, token.lineno, text)
            elif token.token_type is TokenType.TEXT and not inside and _CHINESE.search(text):
                line = next(line for line in text.splitlines() if _CHINESE.search(line))
                yield _loose(path, root, token.lineno, line)


def _loose(path: Path, root: Path, line: int | None, text: str) -> Fault:
    place = f"{path.relative_to(root).as_posix()}:{line}"
    return Fault(code="outside-translation", place=place, text=text.strip()[:80])


def check(root: Path = ROOT, path: Path = PO) -> list[Fault]:
    """Check that every sentence a reader may meet has its English one; return all faults.

    The codes: english-missing, english-unsure (marked fuzzy), english-not-english,
    placeholders-differ, id-not-chinese, outside-translation, not-used (a sentence
    that no file holds any more), not-compiled (the .mo file is of another state).
    """
    found, known = extracted(root), translations(path)
    faults = [
        fault for message in merged(found, known) if message.id for fault in _faults_of(message)
    ]
    unsure = {_key(message) for message in known if message.id and message.fuzzy}
    used = set(_by_key(found))
    faults.extend(
        Fault(code="english-unsure", place=path.name, text=text)
        for context, text in sorted(unsure & used, key=lambda key: key[1])
    )
    faults.extend(
        Fault(code="not-used", place=path.name, text=text)
        for context, text in sorted(set(_by_key(known)) - used, key=lambda key: key[1])
    )
    faults.extend(untranslatable(root))
    target = path.with_suffix(".mo")
    if not target.exists() or target.read_bytes() != mofile.compiled(path):
        faults.append(Fault(code="not-compiled", place=target.name, text="run messages compile"))
    return faults

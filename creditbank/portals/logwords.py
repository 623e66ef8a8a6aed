"""An entry of the log in plain words: what anyone may know of it, and nothing more.

Of a learner's entry the log publishes who recorded it, when, what kind it is
and how many credits it moves; whose it is and what for stays behind the
commitment. Public entries (documents, keys) are shown whole.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from certificates import queries as certificates
from creditbank.institutions import queries as institutions
from creditbank.ledger import events, kinds, recognitions
from creditbank.ledger.queries import EntryView, ManifestView
from creditbank.ledger.statements import PROGRAMME, RULE, credits_of
from creditbank.proofs import commitments

KIND_WORDS: Final[dict[str, Promise]] = {
    "award": _("存入学分"),
    "award-reverse": _("冲正一笔存入"),
    "expire": _("一笔学分到期"),
    "consume": _("使用一笔学分"),
    "consume-reverse": _("撤回一次使用"),
    "recognise": _("认定学分"),
    "recognise-reverse": _("冲正一笔认定"),
    "pre-approve": _("预认定"),
    "transcript-issue": _("登记一份学分证明"),
    "transcript-revoke": _("撤销一份学分证明"),
    "key-add": _("启用一把签名密钥"),
    "key-retire": _("停用一把签名密钥"),
    "key-compromise": _("声明一把签名密钥失密"),
    "rule-publish": _("公布一份认定规则或培养方案"),
    "rule-withdraw": _("撤回一份认定规则或培养方案"),
    "genesis": _("开立登记簿"),
}


DOCUMENTS: Final = (kinds.RULE_PUBLISH, kinds.RULE_WITHDRAW)
DOCUMENT_WORDS: Final[dict[str, Promise]] = {
    RULE: _("认定规则"),
    PROGRAMME: _("专业培养方案"),
}


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed a manifest: the institution and its page, or the bank itself."""

    name: str
    slug: str


@dataclass(frozen=True, kw_only=True)
class Related:
    """Another entry that this one acts on, or that acts on this one."""

    words: str | Promise
    index: int


@dataclass(frozen=True, kw_only=True)
class EntryWords:
    """What the page of one entry says."""

    title: str | Promise
    sentence: str
    facts: tuple[tuple[str | Promise, str], ...]
    related: tuple[Related, ...]
    state: str
    """A state of `states.STATES`, or nothing for entries that have none."""
    page: str = ""
    """The address of what was published by it, where that has a page."""


def signer_of(stream: str) -> Signer:
    """Name who stands behind a stream."""
    if stream == settings.BANK_STREAM:
        return Signer(name=_bank_name(), slug="")
    owner = institutions.stream(stream).institution
    if owner is None:
        return Signer(name=_bank_name(), slug="")
    return Signer(name=str(owner), slug=owner.slug)


def _bank_name() -> str:
    from creditbank.institutions.models import in_english

    return str(settings.BANK_NAME_EN if in_english() else settings.BANK_NAME)


def of_manifest(view: ManifestView) -> str:
    """Say what a manifest is."""
    return gettext(
        "这是一份清单：%(who)s 用一次签名确认了随后的 %(count)s 条记录、它们的次序和号码。"
    ) % {"who": signer_of(view.stream).name, "count": view.count}


def of_entry(view: EntryView) -> EntryWords:
    """Say what an entry is, what it acts on and what became of it."""
    who = signer_of(view.stream).name
    facts: list[tuple[str | Promise, str]] = []
    related: list[Related] = []
    state = page = ""
    if view.kind.public:
        core: dict[str, Any] = json.loads(commitments.split(view.opening())[0])
        facts += _public_facts(view, core)
        sentence = gettext("%(who)s 登记的公开事项，内容全文公布。") % {"who": who}
        if view.kind is kinds.TRANSCRIPT_ISSUE:
            revocation = events.published().revocation_of.get(view.leaf_hash)
            state = "issued"
            if revocation is not None:
                state = "superseded" if revocation.successor else "revoked"
                related.append(Related(words=_("由此条撤销"), index=revocation.index))
        elif view.kind is kinds.TRANSCRIPT_REVOKE:
            index = certificates.register_index(str(core["number"]))
            if index is not None:
                related.append(Related(words=_("撤销的是此条"), index=index))
        elif view.kind in DOCUMENTS:
            page = _page(core)
            publication = _publication(core)
            withdrawn = publication.withdrawn_index if publication else None
            if view.kind is kinds.RULE_WITHDRAW and publication is not None:
                related.append(Related(words=_("撤回的是此条"), index=publication.index))
            elif withdrawn is not None:
                related.append(Related(words=_("由此条撤回"), index=withdrawn))
    else:
        sentence = gettext(
            "%(who)s 签名登记的一笔记录。登记簿只公布它的类别、学分数和承诺值；"
            "是谁的、什么课程、什么成绩，只有持证人出示时才能看到，并可与承诺值核对。"
        ) % {"who": who}
        facts.append((_("学分变动"), _signed(view)))
        if view.kind.klass == "award":
            reversal = events.published().reversal_of.get(view.leaf_hash)
            state = "entered"
            if reversal is not None:
                state = "reversed"
                related.append(Related(words=_("由此条冲正"), index=reversal.index))
        elif view.acts_on is not None:
            index = events.index_of_leaf(view.account, view.acts_on)
            if index is not None:
                related.append(Related(words=_("针对的是此条"), index=index))
    return EntryWords(
        title=KIND_WORDS[view.kind.name],
        sentence=sentence,
        facts=tuple(facts),
        related=tuple(related),
        state=state,
        page=page,
    )


def _page(core: dict[str, Any]) -> str:
    """Return the address of the version that a public opening is about."""
    name = "rule_version" if core["schema"] == RULE else "programme_version"
    return reverse(name, args=[core["code"], core["version"]])


def _publication(core: dict[str, Any]) -> recognitions.Publication | None:
    """Find the publication that a public opening about a document names."""
    owner, schema = str(core["owner"]), str(core["schema"])
    return recognitions.publication(
        schema=schema, owner=owner, code=str(core["code"]), version=int(core["version"])
    )


def _signed(view: EntryView) -> str:
    return f"{credits_of(view.quantity):+.2f}"


def _public_facts(view: EntryView, core: dict[str, Any]) -> list[tuple[str | Promise, str]]:
    """Write the members of a public opening as terms and values."""
    facts: list[tuple[str | Promise, str]] = []
    if view.kind in (kinds.TRANSCRIPT_ISSUE, kinds.TRANSCRIPT_REVOKE):
        facts.append((_("证明编号"), str(core["number"])))
        facts.append((_("文件摘要"), _hex(core["digest"])))
        if view.kind is kinds.TRANSCRIPT_REVOKE:
            facts.append((_("原因"), str(certificates.reason_words(str(core["reason"])))))
            facts.append((_("更正版本编号"), str(core.get("successor", ""))))
    elif view.kind is kinds.GENESIS:
        facts.append((_("学分银行"), str(core["bank_id"])))
        facts.append((_("登记簿密钥"), str(core["log_vkey"])))
    if "stream" in core:
        facts.append((_("序列"), str(core["stream"])))
        facts.append((_("序列所属"), signer_of(str(core["stream"])).name))
        facts.append((_("算法"), str(core["algorithm"])))
        facts.append((_("公钥"), _hex(core["public"])))
    if view.kind is kinds.KEY_COMPROMISE:
        facts.append((_("自此序号起不可信"), str(core["from"])))
    if view.kind in DOCUMENTS:
        facts.append((_("文件"), str(DOCUMENT_WORDS[str(core["schema"])])))
        facts.append((_("编码与版本"), f"{core['code']} · {core['version']}"))
        facts.append((_("所有者"), str(core["owner"])))
        if view.kind is kinds.RULE_PUBLISH:
            facts.append((_("文件摘要"), _hex(core["digest"])))
            facts.append((_("施行自"), str(core["from"])))
            facts.append((_("施行至"), str(core.get("until", ""))))
        else:
            facts.append((_("原因"), str(core["reason"])))
            facts.append((_("自此日起不再施行"), str(core["on"])))
    return [(term, value) for term, value in facts if value]


def _hex(text: object) -> str:
    return b64decode(str(text)).hex()


@dataclass(frozen=True, kw_only=True)
class Recent:
    """One line of the list of the newest leaves."""

    index: int
    words: str | Promise
    who: str


def recent(size: int, count: int) -> list[Recent]:
    """Return the newest leaves below a size, newest first, manifests included."""
    leaves = events.newest_leaves(size, count)
    names = {stream: signer_of(stream).name for stream in {leaf.stream for leaf in leaves}}
    return [
        Recent(
            index=leaf.index,
            words=KIND_WORDS[leaf.kind.name]
            if leaf.kind
            else gettext("清单，%(count)s 条") % {"count": leaf.count},
            who=names[leaf.stream],
        )
        for leaf in leaves
    ]

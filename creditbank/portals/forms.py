"""What clerks and reviewers type: parsed here, judged by the same checks as a file's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditbank.errors import Problem
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import CatalogueItem
from creditbank.recognition.register.publishing import REASON_MAX as WITHDRAWAL_REASON_MAX
from creditbank.recording.corrections import REASON_MAX as REVERSAL_REASON_MAX
from creditbank.recording.labels import label
from creditbank.recording.operations import REASON_MAX as REFUSAL_REASON_MAX
from creditbank.recording.rows import RawRow
from learners.identity import DocumentType, IdentityDocument, IdentityInvalid

PERSON: Final = ("document_type", "number", "name")
DETAILS: Final[dict[str, tuple[str, ...]]] = {
    OutcomeKind.COURSE: ("score", "grade", "hours", "term"),
    OutcomeKind.X_CERTIFICATE: ("score", "certificate", "valid_until"),
    OutcomeKind.SKILL_LEVEL: ("score", "certificate", "valid_until"),
    OutcomeKind.TRAINING: ("batch", "hours", "score", "grade"),
    OutcomeKind.COMMUNITY: ("batch", "hours", "grade"),
    OutcomeKind.CONTINUING_EDUCATION: ("year", "project", "hours"),
    OutcomeKind.COMPETITION: ("contest", "edition", "event", "grade"),
    OutcomeKind.WORK_EXPERIENCE: ("started_on",),
    OutcomeKind.APPRENTICESHIP: ("started_on", "grade"),
}
"""What is asked of each kind besides person, item and day: few enough for twelve tab stops."""

_REQUIRED: Final = frozenset(
    ["certificate", "batch", "year", "project", "contest", "edition", "event", "started_on"]
)
_HINTS: Final = {
    "completed_on": _("例如 2026-06-17 或 2026年6月17日"),
    "valid_until": _("没有期限的留空"),
    "started_on": _("例如 2024-09-01"),
    "term": _("例如 2025-2026-2；再次修读时必填"),
    "year": _("四位数字，例如 2026"),
    "certificate": _("按证书上印的填写"),
}
_MAX: Final = 120


class ItemForm(forms.Form):
    """Which item of the catalogue: the first step where an institution has several kinds."""

    item = forms.ChoiceField(label=_("名录项目"))

    def __init__(self, *args: Any, items: Sequence[CatalogueItem], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].choices = item_choices(items)  # type: ignore[attr-defined]


def item_choices(items: Iterable[CatalogueItem]) -> list[tuple[str, Any]]:
    """Return the choices of items: grouped by kind, unless all are of one."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        kind = str(OutcomeKind(item.kind).label)
        groups.setdefault(kind, []).append((item.code, f"{item} · {item.code}"))
    if len(groups) == 1:
        return list(next(iter(groups.values())))
    return list(groups.items())


class RecordForm(forms.Form):
    """One outcome of one learner, of one kind.

    It only parses: `row` is the same row that a line of a file is, and whatever
    the checks find of it comes back through `tell`. `chosen`: the item was
    chosen a step before, and is not asked again.
    """

    document_type = forms.ChoiceField(label=_("证件类型"), choices=DocumentType.choices)
    number = forms.CharField(
        label=_("证件号码"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        label=_("姓名"), max_length=_MAX, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    item = forms.ChoiceField(label=_("名录项目"))

    field_order = ("item", *PERSON, "completed_on")

    def __init__(
        self,
        *args: Any,
        kind: str,
        items: Sequence[CatalogueItem],
        chosen: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if chosen:
            self.fields["item"].widget = forms.HiddenInput()
        self.fields["item"].choices = item_choices(  # type: ignore[attr-defined]
            item for item in items if item.kind == kind
        )
        for name in ("completed_on", *DETAILS[kind]):
            self.fields[name] = forms.CharField(
                label=label(name),
                max_length=_MAX,
                required=name == "completed_on" or name in _REQUIRED,
                help_text=_HINTS.get(name, ""),
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )
        self.order_fields(self.field_order)

    def row(self) -> RawRow:
        """Return the row that was typed."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        return RawRow(number=1, values=values)

    def tell(self, problems: Iterable[Problem]) -> None:
        """Put what the checks found beside the fields."""
        for found in problems:
            name = found.field if found.field in self.fields else None
            text = found.message
            if found.expected:
                text = gettext("%(problem)s（应为 %(expected)s）") % {
                    "problem": found.message,
                    "expected": found.expected,
                }
            self.add_error(name, text)


class UploadForm(forms.Form):
    """A file of outcomes."""

    file = forms.FileField(label=_("文件"))


class RefusalForm(forms.Form):
    """Why a draft is sent back."""

    reason = forms.CharField(
        label=_("退回的原因"),
        max_length=REFUSAL_REASON_MAX,
        help_text=_("写给经办人看，请勿写姓名和证件号码。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ReversalForm(forms.Form):
    """Why an entry is reversed: the reason stands in the ledger for good."""

    reason = forms.CharField(
        label=_("冲正的原因"),
        max_length=REVERSAL_REASON_MAX,
        help_text=_("写入登记簿，学习者能看到，以后不能更改。请勿写姓名和证件号码。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class WithdrawalForm(forms.Form):
    """Why, and from which day on, a version of a rule or programme is withdrawn."""

    reason = forms.CharField(
        label=_("撤回的原因"),
        max_length=WITHDRAWAL_REASON_MAX,
        help_text=_("写入登记簿，任何人能看到，以后不能更改。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    on = forms.DateField(
        label=_("自哪一天起"),
        required=False,
        help_text=_("例如 2026-09-01；不填就是今天。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )


class DocumentForm(forms.Form):
    """An identity document that is in front of the clerk."""

    document_type = forms.ChoiceField(label=_("证件类型"), choices=DocumentType.choices)
    number = forms.CharField(
        label=_("证件号码"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean(self) -> dict[str, Any]:
        """Check the number as its kind of document allows."""
        cleaned = super().clean() or {}
        if "document_type" in cleaned and "number" in cleaned:
            try:
                cleaned["document"] = IdentityDocument(
                    type=DocumentType(cleaned["document_type"]), number=cleaned["number"]
                )
            except IdentityInvalid as error:
                self.add_error("number", error.message)
        return cleaned

    @property
    def document(self) -> IdentityDocument:
        """The document that was typed."""
        document: IdentityDocument = self.cleaned_data["document"]
        return document

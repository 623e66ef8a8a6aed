"""What reviewers type into a case: parsed here, judged by the operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditbank.errors import Problem
from creditbank.portals import casewords
from creditbank.portals.casewords import ShownLine
from creditbank.portals.forms import DocumentForm
from creditbank.recognition.deciding import reasons
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.models import LineVerdict
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.preapprovals import Promised
from creditbank.recording import labels

TEXT_MAX: Final = 500
FACT_MAX: Final = 100
LESS: Final = ("part", "waived", "refused")
"""The verdicts that need a reason."""
FIELDS: Final[dict[str, Any]] = {
    "verdict": _("怎样认定"),
    "credits": _("部分认定的学分"),
    "reason": _("理由"),
    "note": _("给学习者的说明"),
}
"""What is asked of each line."""
CATEGORY: Final = "category/"
PROMISES: Final = 3
"""How many targets the form of a pre-approval has: a single outcome seldom counts for more."""


def _amount(text: str) -> Decimal | None:
    """Read an amount of credits; None for what is none."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


class VerdictsForm(forms.Form):
    """A verdict for each line of a proposal: whole, in part, waived, refused, with reason and words."""

    def __init__(self, *args: Any, lines: Sequence[ShownLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            self._add(line)

    def _add(self, line: ShownLine) -> None:
        number = line.position

        def named(name: str) -> str:
            """Name a field so that it is known by itself, where all mistakes are listed."""
            return gettext("%(target)s的%(field)s") % {
                "target": line.target.name if line.target else "",
                "field": FIELDS[name],
            }

        self.fields[f"verdict_{number}"] = forms.ChoiceField(
            label=named("verdict"),
            choices=_choices(line),
            initial=line.verdict,
            widget=forms.RadioSelect,
            error_messages={"required": _("请选择怎样认定。")},
        )
        if line.promised:
            return
        if line.credits:
            self.fields[f"credits_{number}"] = forms.CharField(
                label=named("credits"),
                required=False,
                max_length=8,
                help_text=_("只在部分认定时填写，多于 0，少于 %(most)s。")
                % {"most": format(line.credits, "f")},
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
            )
        self.fields[f"reason_{number}"] = forms.ChoiceField(
            label=named("reason"),
            required=False,
            choices=[("", "—"), *_reasons(LESS)],
            help_text=_("不是全部认定的，须选一条理由；理由写入决定。"),
        )
        self.fields[f"note_{number}"] = forms.CharField(
            label=named("note"),
            required=False,
            max_length=TEXT_MAX,
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def rows(self) -> list[tuple[ShownLine, list[tuple[forms.BoundField, Any]]]]:
        """Return each line with its fields, each with the name it has beside its line."""
        return [
            (
                line,
                [
                    (self[f"{name}_{line.position}"], short)
                    for name, short in FIELDS.items()
                    if f"{name}_{line.position}" in self.fields
                ],
            )
            for line in self.lines
        ]

    def clean(self) -> dict[str, Any]:
        """Check what belongs together: a part with its credits, less than the whole with a reason."""
        cleaned = super().clean() or {}
        for line in self.lines:
            if f"verdict_{line.position}" in cleaned:
                self._check(line, cleaned)
        return cleaned

    def _check(self, line: ShownLine, cleaned: dict[str, Any]) -> None:
        number = line.position
        verdict = cleaned[f"verdict_{number}"]
        if verdict == "part":
            amount = _amount(cleaned.get(f"credits_{number}", ""))
            if amount is None or not 0 < amount < line.credits:
                self.add_error(
                    f"credits_{number}",
                    gettext("部分认定的学分须多于 0，少于 %(most)s。")
                    % {"most": format(line.credits, "f")},
                )
        if verdict not in LESS or verdict == line.verdict:
            return
        reason = cleaned.get(f"reason_{number}", "")
        if not reason:
            self.add_error(f"reason_{number}", gettext("请选择理由。"))
        elif not reasons.fits(reason, verdict):
            self.add_error(f"reason_{number}", gettext("这条理由不适用于所选的认定方式。"))

    def verdicts(self) -> list[Verdict]:
        """Return what was chosen for each line."""
        cleaned = self.cleaned_data
        found = []
        for line in self.lines:
            number = line.position
            verdict = cleaned[f"verdict_{number}"]
            less = verdict in LESS and verdict != line.verdict
            found.append(
                Verdict(
                    position=number,
                    verdict=verdict,
                    credits=_amount(cleaned[f"credits_{number}"]) if verdict == "part" else None,
                    reason=cleaned.get(f"reason_{number}", "") if less else "",
                    note=cleaned.get(f"note_{number}", ""),
                )
            )
        return found

    def tell(self, problems: Iterable[Problem]) -> None:
        """Put what the operation refused beside its line, or above the form."""
        for found in problems:
            field = f"verdict_{(found.row or 0) - 1}"
            self.add_error(field if field in self.fields else None, found.message)


def _choices(line: ShownLine) -> list[tuple[str, Any]]:
    """Return the verdicts that a line admits; a promised line is given whole."""
    whole = gettext("全部认定：%(credits)s 学分") % {"credits": format(line.total, "f")}
    if line.verdict == "waived":
        whole = str(LineVerdict.WAIVED.label)
    choices: list[tuple[str, Any]] = [(line.verdict, whole)]
    if line.promised:
        return choices
    if line.credits:
        choices.append(("part", LineVerdict.PART.label))
    if line.target is not None and line.target.is_course and line.verdict != "waived":
        choices.append(("waived", LineVerdict.WAIVED.label))
    return [*choices, ("refused", LineVerdict.REFUSED.label)]


def _reasons(verdicts: Sequence[str]) -> list[tuple[str, str]]:
    """Return the reasons with the verdicts that each can be given for, each once."""
    return [
        (
            code,
            gettext("%(reason)s（用于%(verdicts)s）")
            % {"reason": sentence, "verdicts": labels.listed(_verdicts(code, verdicts))},
        )
        for code, sentence in dict(
            pair for verdict in verdicts for pair in casewords.reason_choices(verdict)
        ).items()
    ]


def _verdicts(code: str, verdicts: Sequence[str]) -> list[str]:
    return [str(LineVerdict(verdict).label) for verdict in verdicts if reasons.fits(code, verdict)]


class FactForm(forms.Form):
    """A fact that a reviewer looked into: of which outcome, which one, and what it is."""

    leaf = forms.ChoiceField(label=_("哪项成果"))
    name = forms.ChoiceField(label=_("核实的事实"))
    value = forms.CharField(
        label=_("核实的结果"),
        max_length=FACT_MAX,
        help_text=_("数字、日期（如 2026-06-17）或规则写明的词。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        sources: Sequence[tuple[str, str]],
        names: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leaf"].choices = list(sources)  # type: ignore[attr-defined]
        self.fields["name"].choices = list(names)  # type: ignore[attr-defined]
        if len(sources) == 1:
            self.fields["leaf"].widget = forms.HiddenInput()
            self.fields["leaf"].initial = sources[0][0]


class ReturnForm(forms.Form):
    """Why a proposed decision is returned to those who proposed it."""

    reason = forms.CharField(
        label=_("退回的原因"),
        max_length=TEXT_MAX,
        help_text=_("写给提出决定的同事看，请勿写姓名和证件号码。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class SayForm(forms.Form):
    """What the institution says in an appeal."""

    text = forms.CharField(
        label=_("意见"),
        max_length=2000,
        help_text=_("申请人能看到。"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    attachment = forms.FileField(label=_("附件"), required=False)


class UpholdForm(forms.Form):
    """Why the decision stands."""

    text = forms.CharField(
        label=_("维持原决定的理由"),
        max_length=2000,
        help_text=_("申请人能看到，请逐项答复复议的理由。"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AnewForm(VerdictsForm):
    """A new decision in an appeal: a verdict for each line, and why."""

    text = forms.CharField(
        label=_("作出新决定的理由"),
        max_length=2000,
        help_text=_("申请人能看到。"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConfirmReversalForm(forms.Form):
    """Why a decision is reversed: the reason stands in the ledger for good."""

    reason = forms.CharField(
        label=_("冲正的原因"),
        max_length=200,
        help_text=_("写入登记簿，学习者能看到，以后不能更改。请勿写姓名和证件号码。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class PromiseForm(DocumentForm):
    """A pre-approval: for whom, which item by which day, and what it will count for."""

    item = forms.CharField(
        label=_("成果的名录编码"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    until = forms.DateField(
        label=_("须在哪一天前完成（含当日）"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    score = forms.DecimalField(
        label=_("最低分数"), required=False, min_value=0, max_digits=6, decimal_places=2
    )

    def __init__(self, *args: Any, programme: Programme, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._programme = programme
        for number in range(1, PROMISES + 1):
            self.fields[f"target_{number}"] = forms.ChoiceField(
                label=gettext("认定为（第 %(number)s 项）") % {"number": number},
                required=number == 1,
                choices=[("", "—"), *_targets(programme)],
            )
            self.fields[f"credits_{number}"] = forms.DecimalField(
                label=gettext("学分（第 %(number)s 项）") % {"number": number},
                required=False,
                min_value=0,
                max_digits=6,
                decimal_places=2,
            )

    def clean(self) -> dict[str, Any]:
        """Check that every target is named once, and every category with its credits."""
        cleaned = super().clean()
        seen: set[str] = set()
        for number in range(1, PROMISES + 1):
            code = cleaned.get(f"target_{number}", "")
            amount = cleaned.get(f"credits_{number}")
            if code and code in seen:
                self.add_error(f"target_{number}", gettext("同一课程或类别只写一次。"))
            seen.add(code)
            if code.startswith(CATEGORY) and not amount:
                self.add_error(f"credits_{number}", gettext("类别须写明学分。"))
            if not code and amount is not None:
                self.add_error(f"target_{number}", gettext("请选择课程或类别。"))
        return cleaned

    def targets(self) -> list[Promised]:
        """Return what is promised, in the order of the form."""
        found = []
        for number in range(1, PROMISES + 1):
            kind, _sign, code = self.cleaned_data[f"target_{number}"].partition("/")
            amount = self.cleaned_data[f"credits_{number}"]
            if kind == "category":
                found.append(Promised(category=code, credits=amount))
            elif kind:
                waived = amount is not None and not amount
                found.append(
                    Promised(course=code, credits=None if waived else amount, waived=waived)
                )
        return found

    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the fields of each target."""
        return [
            (self[f"target_{number}"], self[f"credits_{number}"])
            for number in range(1, PROMISES + 1)
        ]

    def tell(self, problems: Iterable[Problem]) -> None:
        """Put what the operation refused beside its field, or above the form."""
        for found in problems:
            name, _slash, at = (found.field or "").partition("/")
            field = f"target_{int(at) + 1}" if name == "targets" and at.isdigit() else name
            self.add_error(field if field in self.fields else None, found.message)


def _targets(programme: Programme) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return a programme's courses and categories as groups of choices."""
    courses = [
        (
            f"course/{one.code}",
            f"{casewords.named(one.title, one.title_en)} · {one.code} · {one.credits:f}",
        )
        for one in programme.courses
        if one.replaceable
    ]
    categories = [
        (f"category/{one.code}", f"{casewords.named(one.title, one.title_en)} · {one.code}")
        for one in programme.categories
    ]
    return [(gettext("课程"), courses), (gettext("类别"), categories)]

"""Keys for an institution's own programs: made and shown once, listed, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from api import keys
from api.models import OF_INSTITUTIONS, ApiKey, Scope
from creditbank.clock import today
from creditbank.institutions.kinds import Role
from creditbank.portals.institution_frame import Desk, desk_for, desk_page, show

DAYS: Final = (
    (30, _("30 天")),
    (90, _("90 天")),
    (180, _("180 天")),
    (365, _("一年")),
)


class KeyForm(forms.Form):
    """What a new key is for, what it may do and for how long."""

    label = forms.CharField(
        label=_("用途"),
        max_length=keys.LABEL_MAX,
        help_text=_("写明哪个系统使用，例如“教务系统报送”。请勿写姓名。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("它可以做什么"),
        choices=[(scope.value, scope.label) for scope in OF_INSTITUTIONS],
        help_text=_("只勾选用得着的。泄露时，损失以勾选的为限。"),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label=_("有效期"), choices=DAYS, coerce=int, initial=90)

    def tell(self, error: keys.KeyInvalid) -> None:
        """Put what was refused beside its field."""
        name = str(error.facts.get("field", ""))
        self.add_error({"expires_on": "days"}.get(name, name or None), error.message)


@dataclass(frozen=True)
class ShownKey:
    """A key with its state and its scopes in words."""

    key: ApiKey
    on: date

    @property
    def scopes(self) -> list[str]:
        """What it may do."""
        return [str(Scope(scope).label) for scope in self.key.scopes]

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return self.key.expires_on < self.on

    @property
    def state(self) -> str:
        """The state that the page draws."""
        if self.key.revoked_at is not None:
            return "key-revoked"
        return "key-expired" if self.expired else "in-force"


def _shown(found: Iterable[ApiKey]) -> list[ShownKey]:
    return [ShownKey(key, today()) for key in found]


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def developers(request: HttpRequest, slug: str) -> HttpResponse:
    """List the keys; a POST makes one and shows it, this once."""
    desk = desk_for(request, slug, Role.ADMIN)
    form = KeyForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        try:
            made = keys.create_institution_key(
                institution=desk.institution,
                label=form.cleaned_data["label"],
                scopes=form.cleaned_data["scopes"],
                expires_on=today() + timedelta(days=form.cleaned_data["days"]),
                acting_user=desk.user,
            )
        except keys.KeyInvalid as error:
            form.tell(error)
    return _page(request, desk, form if made is None else KeyForm(), made)


def _page(
    request: HttpRequest, desk: Desk, form: KeyForm, made: keys.NewKey | None
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "made": made,
        "made_scopes": ShownKey(made.key, today()).scopes if made else [],
        "shown": _shown(keys.keys_of(desk.institution)),
        "public_url": settings.PUBLIC_URL,
    }
    return show(request, desk, "developers", context, status=422 if form.errors else 200)


@desk_page
@require_POST
def revoke(request: HttpRequest, slug: str, prefix: str) -> HttpResponse:
    """Revoke one of the institution's keys."""
    desk = desk_for(request, slug, Role.ADMIN)
    if all(key.prefix != prefix for key in keys.keys_of(desk.institution)):
        raise keys.KeyUnknown(prefix=prefix)
    key = keys.revoke(prefix=prefix)
    messages.success(
        request,
        gettext("已撤销 %(prefix)s，使用它的程序从现在起会被拒绝。") % {"prefix": key.prefix},
    )
    return redirect("org_developers", slug=slug)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/developers", developers, name="org_developers"),
    path("org/<slug:slug>/developers/<slug:prefix>/revoke", revoke, name="org_developers_revoke"),
]

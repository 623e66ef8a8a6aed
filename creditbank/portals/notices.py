"""The public notice (公示): decisions that are about to be in force, and whom to tell of a doubt."""

from __future__ import annotations

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from creditbank.portals.ratelimit import limited
from creditbank.recognition.workflow.notices import in_notice

PAGE: Final = 40
LIMIT: Final = 120


@require_safe
@limited(scope="notices", limit=LIMIT)
def notices(request: HttpRequest) -> HttpResponse:
    """List the decisions in notice, of all institutions or of one."""
    found = in_notice()
    institutions = sorted(
        {one.institution for one in found}, key=lambda institution: institution.slug
    )
    slug = request.GET.get("institution", "")
    chosen = [one for one in found if not slug or one.institution.slug == slug]
    page = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "chosen": len(chosen),
        "total": len(found),
        "institution": slug,
        "institutions": institutions,
    }
    return render(request, "public/notices.html", context)


urlpatterns = [path("notices", notices, name="notices")]

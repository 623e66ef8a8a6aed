"""The public pages on which strangers verify a transcript, and the addresses of all public pages."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language, gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from certificates import codes, isolated, queries, sealedcache, verification
from certificates.report import CODES
from certificates.verification import Verified
from creditbank.clock import now
from creditbank.portals import register, rules, wellknown
from creditbank.portals.ratelimit import limited
from creditbank.portals.results import pick, shown
from creditbank.portals.uploads import keep_in_memory

LIMIT: Final = 60
"""Verifications a minute from one address (all ways together)."""

FORM_MAX: Final = 64
PAGE_SECONDS: Final = 60


def _answer(request: HttpRequest, verified: Verified, **context: Any) -> HttpResponse:
    """Draw a result. It is nobody's to keep or to index: it may hold a person's data."""
    status = {"V-NOTFOUND": 404, "V-UNAVAILABLE": 503}.get(verified.code, 200)
    response = render(
        request,
        "public/verify_result.html",
        {"shown": shown(verified), "origin": settings.LOG_ORIGIN, **context},
        status=status,
    )
    if status == 503:
        response["Retry-After"] = "30"
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


# -- verifying --------------------------------------------------------------------------------
# The form changes nothing for whoever is signed in: a token against forgery would
# only give every stranger a session and a cookie.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a number and code, or a file; answer either."""
    if request.method != "POST":
        isolated.warm()
        return _form(request)
    return _verify_posted(request)


@limited(scope="verify", limit=LIMIT)
def _verify_posted(request: HttpRequest) -> HttpResponse:
    handler = keep_in_memory(request, cap=verification.FILE_MAX)
    file = request.FILES.get("file")
    if handler.too_large:
        return _form(
            request,
            file_problem=gettext("文件超过 10 MiB，不会是本平台出具的证明。"),
            status=413,
        )
    if file is not None:
        verified = verification.verify_upload(file.read())
        return _answer(request, verified, receipt=verification.keep_receipt(verified))
    number = request.POST.get("number", "").strip()
    code = request.POST.get("code", "").strip()
    if not number and not code:
        return _form(request, problem=gettext("请输入编号和验证码，或选择一个文件。"), status=422)
    try:
        verified = verification.verify_number(number[:FORM_MAX], code[:FORM_MAX])
    except codes.Typo as typo:
        return _form(request, number=number, code=code, typo=typo, status=422)
    if verified.code == verification.NOT_FOUND:
        return _answer(request, verified)
    return _answer(request, verified, receipt=verification.keep_receipt(verified))


def _form(
    request: HttpRequest,
    *,
    number: str = "",
    code: str = "",
    problem: str = "",
    file_problem: str = "",
    typo: codes.Typo | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "number": number[:FORM_MAX],
        "code": code[:FORM_MAX],
        "problem": problem,
        "file_problem": file_problem,
        "typo_field": typo.field if typo else "",
        "typo": _typo_words(typo) if typo else "",
    }
    response = render(request, "public/verify.html", context, status=status)
    if status != 200:
        response["Cache-Control"] = "no-store"
    return response


def _typo_words(typo: codes.Typo) -> str:
    what = gettext("编号") if typo.field == "number" else gettext("验证码")
    if typo.group:
        return gettext("%(what)s有误，请检查第 %(group)s 组。") % {
            "what": what,
            "group": typo.group,
        }
    return gettext("%(what)s应为 12 位，请检查有没有漏掉或多出。") % {"what": what}


@require_safe
@limited(scope="verify", limit=LIMIT)
def verify_link(request: HttpRequest, token: str) -> HttpResponse:
    """Answer what the QR code opens: the result at once, without a login.

    A page made for a stranger is kept, sealed under the holder's key, while the
    minute it names and the checkpoint it speaks of are the present ones.
    """
    row = queries.token_row(token)
    if row is None or settings.SESSION_COOKIE_NAME in request.COOKIES:
        return _answer(request, verification.verify_token(token), token=token)
    minute = int(now().timestamp()) // PAGE_SECONDS
    page = f"page/{get_language()}/{row.log_size}/{minute}"
    kept = sealedcache.get(row, page)
    if kept is not None:
        return _private(HttpResponse(kept))
    verified = verification.verify_token(token)
    answer = _answer(request, verified, token=token)
    if answer.status_code == 200 and verified.register is not None:
        sealedcache.put(row, page, answer.content, seconds=PAGE_SECONDS)
    return answer


@csrf_exempt
@require_POST
@limited(scope="verify", limit=LIMIT)
def keep_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Verify what a link names once more and keep a receipt of it."""
    verified = verification.verify_token(token)
    if verified.code == verification.NOT_FOUND:
        return _answer(request, verified)
    return redirect("verify_receipt", number=verification.keep_receipt(verified).number)


@require_safe
@limited(scope="verify", limit=LIMIT)
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """Show a receipt: when, of what, with which result. Nothing of the holder."""
    found = verification.receipt(number)
    if found.code == verification.FORGOTTEN:
        headline = gettext("登记簿不再保存此人")
        verdict = "undetermined"
    else:
        headline = pick(CODES[found.code].zh, CODES[found.code].en)
        verdict = CODES[found.code].outcome.value
    response = render(
        request,
        "public/verify_receipt.html",
        {
            "receipt": found,
            "headline": headline,
            "verdict": "undetermined" if verdict == "none" else verdict,
            "sha256": bytes(found.file_sha256).hex() if found.file_sha256 else "",
        },
    )
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns = [
    path("verify", verify, name="verify"),
    path("verify/receipts/<str:number>", receipt, name="verify_receipt"),
    path("v/<str:token>", verify_link, name="verify_link"),
    path("v/<str:token>/receipt", keep_receipt, name="verify_link_receipt"),
    *register.urlpatterns,
    *rules.urlpatterns,
    *wellknown.urlpatterns,
]

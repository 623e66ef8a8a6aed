"""How often one address may ask for a page, and a page in words beyond it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from creditbank import counting

View = Callable[..., HttpResponse]


def limited(
    *, scope: str, limit: int, methods: frozenset[str] = frozenset({"GET", "HEAD", "POST"})
) -> Callable[[View], View]:
    """Limit a view to `limit` requests a minute from one address, over all views of a scope."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return view(request, *args, **kwargs)
            wait = counting.count(
                scope=f"page/{scope}", who=counting.address_of(request.META), limit=limit
            )
            if wait is None:
                return view(request, *args, **kwargs)
            response = render(request, "429.html", {"seconds": wait, "limit": limit}, status=429)
            response["Retry-After"] = str(wait)
            response["Cache-Control"] = "no-store"
            return response

        return counted

    return decorate

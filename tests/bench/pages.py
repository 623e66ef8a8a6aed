"""The page a stranger sees after scanning a code, beside a view that says one word."""

from __future__ import annotations

import time
from ipaddress import ip_address
from itertools import count
from types import ModuleType

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse  # noqa: TID251 - the bare view that ours is set against
from django.test import Client, override_settings
from django.urls import include, path

from certificates import operations, queries
from creditbank.jobs import outbox
from tests.bench.recording import Province
from tests.bench.rig import Table, alternating, median, spread
from tests.institutions.cast import approve, propose
from tests.learners.people import register, resident
from tests.ledger.cast import published

REQUESTS = 60


def _bare(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


_urls = ModuleType("tests.bench.bare_urls")
_urls.urlpatterns = [path("bare", _bare), path("", include("creditbank.urls"))]  # type: ignore[attr-defined]


def verification(table: Table, province: Province) -> None:
    """Requests a second of the verification page, and of a bare view behind the same middleware."""
    learner = register(document=resident(), name="李龑")
    items = [approve(propose(province.college.institution)) for _ in range(10)]
    awards = [province.college.award(learner.account_id, item_row=item) for item in items]
    published(province.college.record(*awards))
    transcript = operations.request_transcript(learner=learner, acting_user=None)
    outbox.run_due()
    transcript.refresh_from_db()
    link = f"/v/{queries.verify_token(transcript)}"
    client = Client(SERVER_NAME="localhost")
    asked = count()

    def rate(address: str, *, anew: bool = False) -> float:
        took = 0.0
        for _ in range(REQUESTS):
            if anew:
                cache.clear()
            # Strangers come from many addresses: one alone is told to wait.
            stranger = str(ip_address("198.18.0.0") + next(asked) % (1 << 17))
            began = time.perf_counter()
            answer = client.get(address, REMOTE_ADDR=stranger)
            took += time.perf_counter() - began
            assert answer.status_code == 200, answer.status_code
        return REQUESTS / took

    with override_settings(ROOT_URLCONF=_urls):
        client.get(link)
        kept, made, bare = alternating(
            lambda: rate(link), lambda: rate(link, anew=True), lambda: rate("/bare")
        )
    table.add("verification page of a transcript of 10 lines, by its link", spread(kept, "/s"))
    table.add(
        "/ a bare view behind the same middleware",
        spread([a / b for a, b in zip(kept, bare, strict=True)]),
        goal="≥ 0.25",
        against=f"{median(bare):,.0f}/s",
    )
    table.add(
        "/ the same, the page and all it rests on made anew each time",
        spread([a / b for a, b in zip(made, bare, strict=True)]),
        against=spread(made, "/s"),
    )

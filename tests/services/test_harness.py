"""What the other tests stand on is itself as it says."""

from __future__ import annotations

import os
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connections, transaction

from creditbank.jobs import progress
from creditbank.jobs.models import Job
from tests.pages import NewPage, Pages
from tests.sites import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_has_a_database_of_its_own_in_the_applications_role(db: Any, time: str) -> None:
    for alias, schema in (("default", "public"), ("keys", "keys")):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_user, current_database(), current_schema()")
            assert cursor.fetchone() == ("bank_app", db.name, schema)
    assert Job.objects.count() == 0
    progress.create(time, total=1)


def test_commits_are_real_and_seen_by_everyone(db: Any) -> None:
    with transaction.atomic(durable=True):
        job = progress.create("import", total=1)
    with psycopg.connect(db.owner_url) as session:
        row = session.execute("SELECT kind FROM jobs_job WHERE id = %s", [job.pk]).fetchone()
    assert row == ("import",)


def test_a_thread_of_the_test_works_in_the_same_database(db: Any) -> None:
    seen: list[str] = []

    def look() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT current_database()")
            seen.append(cursor.fetchone()[0])
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [db.name]


def test_the_site_answers_from_the_tests_database(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/") as answer:
        assert answer.status == 200
        assert "Content-Security-Policy" in answer.headers


def test_the_worker_runs_beside_the_site(worker: Any) -> None:
    assert worker.poll() is None


def test_a_browser_shows_the_site_in_chinese(site: Site, new_page: NewPage) -> None:
    page = new_page()
    page.goto(site.url)
    assert page.locator("html").get_attribute("lang") == "zh-hans"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            """<meta http-equiv=Content-Security-Policy content="script-src 'none'">
            <script>1</script>""",
            "policy",
        ),
        ("<script>setTimeout(() => { throw new Error('oops') })</script>", "oops"),
        ("<img src='https://cdn.example/x.png'>", "cdn.example"),
    ],
)
def test_a_page_that_misbehaves_is_noticed(browser: Browser, content: str, problem: str) -> None:
    pages = Pages(browser)
    page = pages.open()
    page.set_content(content)
    page.wait_for_timeout(200)
    pages.close()
    assert len(pages.problems) == 1
    assert problem in pages.problems[0]


def test_the_environment_of_the_developer_does_not_reach_the_tests() -> None:
    assert "creditbank-tests-" in os.environ["BANK_HOME"]

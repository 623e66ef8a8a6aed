"""GET /api/v1/streams/NAME."""

from __future__ import annotations

from typing import Any

from creditbank.ledger import operations, submissions
from creditbank.ledger.operations import open_account
from tests.api.clients import anyone, problem
from tests.ledger.cast import make_college, make_own_stream


def test_a_new_stream_begins_at_zero(bank: Any) -> None:
    own = make_own_stream(make_college(courses=1))
    found = anyone().get(f"/api/v1/streams/{own.name}").json()
    assert found["next_seq"] == 0
    assert found["previous"] == "00" * 32
    assert found["mode"] == "own"
    (key,) = found["keys"]
    assert key["in_force"] is True


def test_after_a_submission_it_names_what_the_next_must_name(bank: Any) -> None:
    college = make_college(courses=1)
    own = make_own_stream(college)
    data = own.prepare(college.award(open_account()))
    own.submit(data)
    found = anyone().get(f"/api/v1/streams/{own.name}").json()
    assert found["next_seq"] == 1
    assert found["previous"] == submissions.parse(data).manifest.root.hex()


def test_a_retired_key_stays_in_the_list(bank: Any) -> None:
    own = make_own_stream(make_college(courses=1))
    receipt = operations.retire_key(stream=own.name, public=own.key.public)
    (key,) = anyone().get(f"/api/v1/streams/{own.name}").json()["keys"]
    assert key["in_force"] is False
    assert key["retired_index"] == receipt.first_index


def test_a_stream_that_is_not_there_is_not_found(db: Any) -> None:
    problem(anyone().get("/api/v1/streams/nobody.example/2026"), 404, "unknown-stream")

"""GET /api/v1/log, its entries and its proofs."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from creditbank.ledger import queries as ledger
from creditbank.proofs import bundles, merkle, notes
from learners.models import Learner
from tests.api.clients import anyone, problem
from tests.learners.people import register
from tests.ledger.cast import College, make_college, published


@pytest.fixture
def college(bank: Any) -> College:
    made = make_college(courses=2)
    for _ in range(3):
        published(made.record(made.award(register().account_id)))
    return made


def get(path: str, **query: Any) -> Any:
    return anyone().get(f"/api/v1/log{path}", query)


def checkpoint(body: dict[str, Any]) -> notes.Checkpoint:
    return notes.Checkpoint.parse(notes.SignedNote.parse(body["checkpoint"].encode()).text)


def test_the_log_names_its_checkpoint_and_keys(college: College) -> None:
    body = get("").json()
    found = checkpoint(body)
    assert found.size == body["size"] == ledger.log_state().published_size
    assert b64decode(body["root"]) == found.root
    keys = [notes.NoteKey.parse_vkey(vkey) for vkey in [body["log_vkey"], *body["cosigner_vkeys"]]]
    bundles.verify_checkpoint(
        notes.SignedNote.parse(body["checkpoint"].encode()), log_key=keys[0], cosigners=keys[1:]
    )


def test_a_log_that_has_not_begun_says_so(db: Any) -> None:
    body = get("").json()
    assert body["size"] == 0
    assert body["checkpoint"] is None


def test_every_leaf_can_be_read_and_proved(college: College) -> None:
    state = get("").json()
    root = checkpoint(state).root
    for index in range(state["size"]):
        entry = get(f"/entries/{index}").json()
        proof = get(f"/proofs/{index}", size=state["size"]).json()
        leaf_hash = merkle.leaf_hash(entry["leaf"].encode())
        assert b64decode(entry["leaf_hash"]) == leaf_hash == b64decode(proof["leaf_hash"])
        merkle.verify_inclusion(
            leaf=leaf_hash,
            index=index,
            size=proof["size"],
            path=[b64decode(item) for item in proof["path"]],
            root=root,
        )
        assert (proof["proof"] is None) == (entry["type"] == "manifest")


def test_the_opening_of_a_public_entry_is_shown_and_of_a_learners_is_not(
    college: College,
) -> None:
    assert '"genesis"' in get("/entries/1").json()["opening"]
    account = Learner.objects.all()[0].account_id
    index = ledger.statement([account])[0].index
    assert get(f"/entries/{index}").json()["opening"] is None
    bundle = bundles.ProofBundle.parse(get(f"/proofs/{index}").json()["proof"].encode())
    assert bundle.disclosure is None


def test_each_earlier_size_is_a_beginning_of_the_newest(college: College) -> None:
    new = get("").json()["size"]
    reader = ledger.StoredHashes()
    hashes = reader.hashes(0, 0, new)
    for old in range(1, new + 1):
        body = get("/consistency", old=old, new=new).json()
        merkle.verify_consistency(
            old_size=old,
            new_size=new,
            old_root=merkle.root_of(hashes[:old]),
            new_root=merkle.root_of(hashes),
            path=[b64decode(item) for item in body["path"]],
        )
        assert body["new_checkpoint"]


def test_what_is_beyond_the_log_is_not_found(college: College) -> None:
    size = get("").json()["size"]
    for path in (f"/entries/{size}", f"/proofs/{size}", f"/entries/{10**16 - 1}"):
        problem(get(path), 404, "beyond-log")
    problem(get("/consistency", old=1, new=size + 1), 404, "beyond-log")
    problem(get("/proofs/1", size=10**9), 404, "checkpoint-missing")


@pytest.mark.parametrize(
    "query",
    [{}, {"old": 1}, {"old": "x", "new": 2}, {"old": -1, "new": 2}, {"old": 1, "new": "1" * 40}],
)
def test_sizes_that_are_none_are_refused(query: Any, db: Any) -> None:
    problem(get("/consistency", **query), 422, "request-invalid")


def test_sizes_in_the_wrong_order_are_refused(college: College) -> None:
    problem(get("/consistency", old=3, new=2), 422, "sizes-invalid")
    problem(get("/consistency", old=0, new=2), 422, "sizes-invalid")

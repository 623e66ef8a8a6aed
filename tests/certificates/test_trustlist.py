"""The published trust list and status snapshots: made from the log, signed, for anyone to fetch."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from certificates import queries, trustlist
from creditbank.ledger import events
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.models import Checkpoint
from creditbank.proofs import merkle, notes
from creditbank.trust import parse_status, parse_trust
from tests.certificates.holders import Holder, make_holder
from tests.ledger.cast import make_own_stream

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


def publish() -> int:
    entries.wait_until_published(ledger.head_size())
    return trustlist.published_size()


def test_the_trust_list_gives_every_key_with_its_life(holder: Holder, settings: Any) -> None:
    own = make_own_stream(holder.college)
    lost = make_own_stream(holder.college, suffix="lost")
    retired = ledger.retire_key(stream=own.name, public=own.key.public)
    declared = ledger.declare_key_compromised(
        stream=lost.name, public=lost.key.public, from_index=5
    )
    size = publish()
    listed = parse_trust(trustlist.build_trust_list())
    assert (listed.bank_id, listed.number, listed.size) == (settings.BANK_ID, size, size)
    (key,) = listed.streams[own.name].keys
    assert (key.public, key.retired) == (own.key.public, retired.first_index)
    assert entries.entry(key.added).kind.name == "key-add"
    (key,) = listed.streams[lost.name].keys
    assert (key.compromised_from, key.retired) == (5, declared.first_index)
    institution = holder.college.institution
    stream = listed.streams[holder.college.hosted]
    assert (stream.institution, stream.uscc) == (institution.name, institution.uscc)
    assert listed.streams[settings.BANK_STREAM].institution == settings.BANK_NAME


def test_the_trust_list_pins_the_first_two_leaves(holder: Holder) -> None:
    listed = parse_trust(trustlist.build_trust_list())
    manifest = merkle.leaf_hash(entries.manifest(0).note)
    assert listed.genesis == (manifest, entries.entry(1).leaf_hash)


def test_the_list_of_a_size_is_the_same_whenever_it_is_made(holder: Holder) -> None:
    size = trustlist.published_size()
    trust, status = trustlist.build_trust_list(size), trustlist.build_status(size)
    make_own_stream(holder.college)
    ledger.reverse_entry(index=holder.indexes()[0], reason="误录")
    assert publish() > size
    cache.clear()
    assert trustlist.build_trust_list(size) == trust
    assert trustlist.build_status(size) == status


def test_a_restored_database_is_read_from_the_start(holder: Holder) -> None:
    """What the process saw in another history is dropped, not mixed in."""
    ledger.reverse_entry(index=holder.indexes()[0], reason="误录")
    publish()
    known = events.published()
    assert len(known.reversals) == 1
    follower = events._follower
    follower._note = b"another history"
    again = events.published()
    assert again is not known
    assert again.reversals == known.reversals
    assert again.keys_below(again.size) == known.keys_below(known.size)


def test_key_lives_in_memory_are_those_of_the_index(holder: Holder, settings: Any) -> None:
    from creditbank.institutions.queries import signing_keys

    own = make_own_stream(holder.college)
    ledger.declare_key_compromised(stream=own.name, public=own.key.public, from_index=3)
    size = publish()
    lives = events.published().keys_below(size)
    for stream in (own.name, holder.college.hosted, settings.BANK_STREAM):
        assert [
            (key.public, key.added_index, key.retired_index, key.compromised_from_index)
            for key in signing_keys(stream)
        ] == [
            (life.public, life.added, life.retired, life.compromised_from) for life in lives[stream]
        ]


def test_programs_find_the_lists_at_their_addresses(
    holder: Holder, client: Client, settings: Any
) -> None:
    size = trustlist.published_size()
    trust = client.get("/.well-known/trust.json")
    assert trust["Content-Type"] == "application/json"
    assert trust["Access-Control-Allow-Origin"] == "*"
    assert "immutable" not in trust["Cache-Control"]
    listed = parse_trust(trust.content)
    latest, fixed = client.get("/status/latest"), client.get(f"/status/{size}")
    assert latest.content == fixed.content
    assert parse_status(fixed.content, listed).size == size
    assert fixed["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in latest["Cache-Control"]
    sizes = set(Checkpoint.objects.values_list("size", flat=True))
    unpublished = next(n for n in range(2, size) if n not in sizes)
    assert client.get(f"/status/{unpublished}").status_code == 404
    assert client.get(f"/status/{size + 100}").status_code == 404
    did = client.get("/.well-known/did.json")
    assert did["Content-Type"] == "application/did+json"
    assert did["Access-Control-Allow-Origin"] == "*"
    document = json.loads(did.content)
    assert document["id"] == settings.BANK_DID
    assert document["assertionMethod"] == [document["verificationMethod"][0]["id"]]
    assert document["assertionMethod"][0] in listed.methods


def test_while_the_signer_is_away_the_lists_say_so(
    holder: Holder, client: Client, bank: Any
) -> None:
    bank.stop()
    trustlist.forget_material()
    cache.clear()
    for path in ("/.well-known/trust.json", "/status/latest", "/.well-known/did.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer["Retry-After"] == "60"


def test_the_exported_lists_verify_a_transcript_without_network_or_database(
    holder: Holder, tmp_path: Path
) -> None:
    transcript = holder.issue()
    publish()
    folder = tmp_path / "offline"
    call_command("export_trust", folder, verbosity=0)
    assert sorted(path.name for path in folder.iterdir()) == ["status.json", "trust.json"]
    file = folder / "transcript.pdf"
    file.write_bytes(queries.pdf(transcript))

    def run(*status: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable, "-m", "certificates.verify", str(file),
                "--trust", str(folder / "trust.json"), *status,
            ],
            cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("--status", str(folder / "status.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("V-OK")
    done = run()
    assert done.returncode == 2
    assert done.stdout.startswith("V-UNAVAILABLE")


def test_nothing_is_exported_before_the_first_checkpoint(signer: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="checkpoint-missing"):
        call_command("export_trust", tmp_path / "offline")


def test_the_checkpoint_in_the_list_is_of_the_log_at_vkey(holder: Holder, client: Client) -> None:
    body = json.loads(json.loads(client.get("/.well-known/trust.json").content)["body"])
    assert body["log_vkey"] + "\n" == client.get("/log/vkey").content.decode()
    key = notes.NoteKey.parse_vkey(body["log_vkey"])
    note = notes.SignedNote.parse(body["checkpoint"].encode())
    assert notes.verify_note(note, [key]) == (key,)
    assert len(b64decode(body["pades_roots"][0])) > 100

"""Streams, and the index of their signing keys."""

from datetime import date

import pytest
from django.db import IntegrityError

from creditbank.institutions import keys, operations, queries
from creditbank.institutions.keys import KeyIndexConflict
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import SigningKey, Stream
from creditbank.institutions.operations import StreamInvalid
from creditbank.institutions.queries import StreamClosed, UnknownKey, UnknownStream
from tests.institutions import cast

pytestmark = pytest.mark.usefixtures("db")

NAME = "bank.example/school"
PUBLIC = bytes(range(32))


def make_stream(mode: str = "hosted", name: str = NAME) -> Stream:
    return operations.add_stream(
        institution=cast.make_institution(), name=name, mode=mode, acting_user=None
    )


def test_a_stream_says_who_signs_for_it():
    make_stream("hosted")
    make_stream("own", "training.example/centre/2026")
    assert queries.is_hosted(NAME)
    assert not queries.is_hosted("training.example/centre/2026")
    with pytest.raises(UnknownStream):
        queries.is_hosted("bank.example/other")


def test_a_closed_stream_takes_nothing_more():
    stream = make_stream()
    operations.close_stream(stream=stream, acting_user=None)
    with pytest.raises(StreamClosed):
        queries.is_hosted(NAME)
    assert queries.recording_stream(stream.institution, "hosted") is None


def test_a_stream_opened_twice_is_one_and_never_passes_to_another_owner():
    stream = make_stream()
    again = operations.add_stream(
        institution=stream.institution, name=NAME, mode="hosted", acting_user=None
    )
    assert again == stream
    for changes in ({"institution": cast.make_institution()}, {"mode": "own"}):
        facts = {"institution": stream.institution, "mode": "hosted"} | changes
        with pytest.raises(StreamInvalid):
            operations.add_stream(name=NAME, acting_user=None, **facts)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("school", "hosted"),
        ("Bank.example/school", "hosted"),
        ("bank.example/学校", "hosted"),
        ("bank.example/a b", "hosted"),
        ("bank.example/a+b", "hosted"),
        ("bank.example//a", "hosted"),
        ("bank.example/a\n", "hosted"),
        (NAME, "borrowed"),
    ],
)
def test_a_malformed_stream_is_refused(name, mode):
    with pytest.raises(StreamInvalid):
        make_stream(mode, name)
    assert not Stream.objects.exists()


def test_the_banks_own_stream_has_no_institution_and_others_must_have_one():
    keys.index_bank_stream("bank.example/bank")
    keys.index_bank_stream("bank.example/bank")
    assert queries.stream("bank.example/bank").institution is None
    assert queries.is_hosted("bank.example/bank")
    with pytest.raises(IntegrityError, match="stream_has_owner"):
        Stream.objects.create(name="bank.example/stray", mode="hosted")


def test_a_key_is_in_force_from_its_entry_to_its_retirement():
    make_stream()
    keys.index_key_added(NAME, "Ed25519", PUBLIC, 12)
    keys.index_key_added(NAME, "Ed25519", PUBLIC, 12)
    [key] = queries.signing_keys(NAME)
    assert (key.algorithm, key.public, key.added_index, key.in_force) == (
        "Ed25519",
        PUBLIC,
        12,
        True,
    )
    keys.index_key_retired(NAME, PUBLIC, 40)
    keys.index_key_retired(NAME, PUBLIC, 44)
    retired = queries.key(NAME, PUBLIC)
    assert (retired.retired_index, retired.in_force) == (40, False)
    assert SigningKey.objects.count() == 1


def test_a_compromised_key_is_retired_and_the_earliest_index_counts():
    make_stream()
    keys.index_key_added(NAME, "Ed25519", PUBLIC, 12)
    keys.index_key_compromised(NAME, PUBLIC, 50, 30)
    keys.index_key_compromised(NAME, PUBLIC, 60, 20)
    keys.index_key_compromised(NAME, PUBLIC, 70, 45)
    key = queries.key(NAME, PUBLIC)
    assert (key.retired_index, key.compromised_from_index, key.in_force) == (50, 20, False)


def test_one_key_never_stands_under_two_streams():
    make_stream()
    make_stream(name="bank.example/other")
    keys.index_key_added(NAME, "Ed25519", PUBLIC, 12)
    for name, algorithm, index in (
        ("bank.example/other", "Ed25519", 12),
        (NAME, "ML-DSA-44", 12),
        (NAME, "Ed25519", 13),
    ):
        with pytest.raises(KeyIndexConflict):
            keys.index_key_added(name, algorithm, PUBLIC, index)


def test_keys_and_streams_that_are_not_there_are_named():
    make_stream()
    with pytest.raises(UnknownKey):
        queries.key(NAME, PUBLIC)
    with pytest.raises(UnknownKey):
        keys.index_key_retired(NAME, PUBLIC, 3)
    with pytest.raises(UnknownStream):
        keys.index_key_added("bank.example/none", "Ed25519", PUBLIC, 3)
    with pytest.raises(UnknownStream):
        queries.stream("bank.example/none")


def test_the_trust_list_gets_every_stream_with_owner_and_keys():
    stream = make_stream()
    keys.index_bank_stream("bank.example/bank")
    keys.index_key_added(NAME, "Ed25519", PUBLIC, 12)
    listed = {row.stream: row for row in queries.stream_keys()}
    assert set(listed) == {NAME, "bank.example/bank"}
    assert listed[NAME].uscc == stream.institution.uscc
    assert [key.public for key in listed[NAME].keys] == [PUBLIC]
    assert listed["bank.example/bank"].institution == ""


def test_a_stream_may_record_what_its_owner_may():
    stream = make_stream()
    operations.grant_scope(
        institution=stream.institution,
        outcome_kind=OutcomeKind.TRAINING,
        valid_from=date(2024, 1, 1),
        valid_until=date(2025, 12, 31),
    )
    assert queries.stream_may_record(NAME, OutcomeKind.TRAINING, date(2025, 12, 31))
    assert not queries.stream_may_record(NAME, OutcomeKind.TRAINING, date(2026, 1, 1))
    assert not queries.stream_may_record(NAME, OutcomeKind.COURSE, date(2025, 1, 1))
    operations.close_stream(stream=stream, acting_user=None)
    assert not queries.stream_may_record(NAME, OutcomeKind.TRAINING, date(2025, 1, 1))

"""Finding people by their identity, and opening accounts for those never seen."""

import threading
import time

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import override_settings

from creditbank.keystore import FileKeyStore
from creditbank.ledger import learnerkeys
from creditbank.ledger.models import CreditAccount
from creditbank.ledger.operations import open_account
from creditbank.sealing import SealBroken
from learners import operations, queries, sealing
from learners.identity import DocumentType, IdentityDocument, NameInvalid
from learners.models import Learner, LearnerAccount
from learners.operations import AccountTaken, LearnerExists, Person
from tests.learners import people

pytestmark = pytest.mark.usefixtures("db")


def test_an_identity_never_seen_gets_a_waiting_account():
    document = people.resident()
    found = operations.find_or_open(document=document, name="阿依古丽•买买提")
    assert (found.waiting, found.opened, found.name_matches) == (True, True, True)
    assert queries.accounts_of(found.learner) == [found.learner.account_id]
    assert CreditAccount.objects.filter(number=found.learner.account_id).exists()
    assert queries.display_name(found.learner) == "阿依古丽·买买提"
    assert queries.identity(found.learner) == document
    assert queries.masked_identity(found.learner) == document.masked


def test_the_same_identity_is_found_again_however_it_is_typed():
    document = people.resident()
    first = operations.find_or_open(document=document, name="李示例")
    typed = IdentityDocument(type=document.type, number=" " + document.number.lower())
    again = operations.find_or_open(document=typed, name="李　示例")
    assert again.learner == first.learner
    assert (again.opened, again.name_matches, again.waiting) == (False, True, True)
    assert queries.by_identity(typed) == first.learner
    assert queries.by_account(first.learner.account_id) == first.learner


def test_another_name_for_a_known_identity_is_told_and_changes_nothing():
    document = people.resident()
    operations.find_or_open(document=document, name="李示例")
    other = operations.find_or_open(document=document, name="王示例")
    assert not other.name_matches
    assert queries.display_name(other.learner) == "李示例"


def test_two_people_of_one_name_have_two_accounts():
    one, other = people.register(name="王示例"), people.register(name="王示例")
    assert one.account_id != other.account_id
    assert queries.display_name(one) == queries.display_name(other)


def test_one_number_on_two_kinds_of_document_is_two_people():
    tw = IdentityDocument(type=DocumentType.TW_PERMIT, number="12345678")
    hk = IdentityDocument(type=DocumentType.HK_MO_PERMIT, number="H12345678")
    assert people.register(document=tw) != people.register(document=hk)


def test_registering_somebody_known_is_refused():
    document = people.resident()
    people.register(document=document)
    with pytest.raises(LearnerExists) as refused:
        people.register(document=document)
    assert refused.value.facts == {"waiting": True}
    assert Learner.objects.count() == 1


def test_a_list_with_one_person_twice_opens_one_account():
    known = people.register()
    document = people.resident()
    answers = operations.find_or_open_all(
        [
            Person(document=document, name="赵示例"),
            Person(document=queries.identity(known), name="李示例"),
            Person(document=document, name="赵示范"),
        ]
    )
    assert answers[0].learner == answers[2].learner != answers[1].learner == known
    assert [answer.opened for answer in answers] == [True, False, False]
    assert [answer.name_matches for answer in answers] == [True, True, False]
    assert CreditAccount.objects.count() == 2


def test_many_people_are_found_and_opened_with_a_fixed_number_of_queries(
    django_assert_max_num_queries,
):
    some = [Person(document=people.resident(), name=f"示例{c}") for c in "甲乙丙丁戊己庚辛壬癸"]
    operations.find_or_open_all(some[:5])
    with django_assert_max_num_queries(12):
        answers = operations.find_or_open_all(some)
    assert [answer.opened for answer in answers] == [False] * 5 + [True] * 5


def test_a_list_with_a_bad_name_opens_nothing():
    good = Person(document=people.resident(), name="李示例")
    bad = Person(document=people.resident(), name="4")
    with pytest.raises(NameInvalid):
        operations.find_or_open_all([good, bad])
    assert not Learner.objects.exists()
    assert not CreditAccount.objects.exists()


def test_a_rolled_back_opening_leaves_nobody():
    document = people.resident()
    with transaction.atomic():
        operations.find_or_open(document=document, name="李示例")
        transaction.set_rollback(True)
    assert queries.by_identity(document) is None
    assert not CreditAccount.objects.exists()
    assert operations.find_or_open(document=document, name="李示例").opened


def race(documents: list[IdentityDocument], workers: int = 4) -> list[operations.Resolution]:
    """Let threads resolve the same identities at once, half of them in the opposite order."""
    gate = threading.Barrier(workers)
    answers: list[operations.Resolution] = []
    failures: list[BaseException] = []

    def resolve(order: int) -> None:
        asked = documents[::order]
        try:
            gate.wait()
            answers.extend(
                operations.find_or_open_all(
                    [Person(document=document, name="李示例") for document in asked]
                )
            )
        except BaseException as error:  # noqa: BLE001 -- a thread's failure is the test's
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=resolve, args=(1 if n % 2 else -1,)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    return answers


@pytest.mark.parametrize("round_", range(3))
def test_threads_that_meet_one_unknown_identity_open_one_account(round_):
    answers = race([people.resident()])
    assert len({answer.learner.pk for answer in answers}) == 1
    assert sum(answer.opened for answer in answers) == 1
    assert CreditAccount.objects.count() == Learner.objects.count() == 1
    assert LearnerAccount.objects.count() == 1


def test_threads_that_meet_many_unknown_identities_in_any_order_open_one_account_each():
    documents = [people.resident() for _ in range(25)]
    answers = race(documents)
    assert len({answer.learner.pk for answer in answers}) == 25
    assert sum(answer.opened for answer in answers) == 25
    assert CreditAccount.objects.count() == Learner.objects.count() == 25


@pytest.mark.parametrize("commits", [True, False])
def test_who_meets_an_identity_that_is_just_being_opened_waits_for_the_outcome(commits):
    document = people.resident()
    answers: list[operations.Resolution] = []

    def resolve() -> None:
        try:
            answers.append(operations.find_or_open(document=document, name="李示例"))
        finally:
            connections.close_all()

    with transaction.atomic():
        first = operations.find_or_open(document=document, name="李示例")
        thread = threading.Thread(target=resolve)
        thread.start()
        wait_until_blocked()
        transaction.set_rollback(not commits)
    thread.join()
    [answer] = answers
    assert answer.opened is not commits
    assert (answer.learner == first.learner) is commits
    assert CreditAccount.objects.count() == Learner.objects.count() == 1


def wait_until_blocked() -> None:
    """Wait until another connection waits for a row that this one has not committed."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_second_row_for_one_identity_is_refused_by_the_database():
    one, other = people.register(), people.register()
    with pytest.raises(IntegrityError, match="learner_identity_once"):
        Learner.objects.filter(pk=other.pk).update(identity_digest=one.identity_digest)


def test_a_row_without_seals_is_refused_by_the_database():
    learner = people.register()
    for column in ("name_sealed", "identity_sealed"):
        with pytest.raises(IntegrityError, match="learner_is_sealed"):
            Learner.objects.filter(pk=learner.pk).update(**{column: "李示例".encode()})
    for value in (None, b"short"):
        with pytest.raises(IntegrityError, match="learner_is_sealed"):
            Learner.objects.filter(pk=learner.pk).update(identity_digest=value)


def test_a_seal_opens_only_in_the_place_it_was_made_for():
    one, other = people.register(), people.register()
    Learner.objects.filter(pk=one.pk).update(name_sealed=one.identity_sealed)
    with pytest.raises(SealBroken):
        queries.display_name(Learner.objects.get(pk=one.pk))
    Learner.objects.filter(pk=one.pk).update(name_sealed=other.name_sealed)
    with pytest.raises(SealBroken):
        queries.display_name(Learner.objects.get(pk=one.pk))
    changed = bytearray(other.name_sealed)
    changed[-1] ^= 1
    Learner.objects.filter(pk=other.pk).update(name_sealed=bytes(changed))
    with pytest.raises(SealBroken):
        queries.display_name(Learner.objects.get(pk=other.pk))


def test_the_digest_needs_the_banks_key(bank_home):
    document = people.resident()
    here = sealing.identity_digest(document)
    (bank_home / "secrets" / "identity-digest.key").write_text("ab" * 32)
    with override_settings(KEYSTORE=FileKeyStore(bank_home / "secrets")):
        assert sealing.identity_digest(document) != here


def test_a_linked_account_belongs_to_one_learner_and_the_first_stays_first():
    learner, other = people.register(), people.register()
    second = open_account()
    operations.link_account(learner=learner, account=second)
    operations.link_account(learner=learner, account=second)
    assert queries.accounts_of(learner) == [learner.account_id, second]
    assert queries.by_account(second) == learner
    for account in (second, learner.account_id):
        with pytest.raises(AccountTaken):
            operations.link_account(learner=other, account=account)


def test_every_account_has_a_key_of_its_own():
    one, other = people.register(), people.register()
    keys = learnerkeys.keys_of([one.account_id, other.account_id])
    assert keys[one.account_id].dedup != keys[other.account_id].dedup
    with pytest.raises(SealBroken):
        sealing.open_sealed(
            other.account_id,
            sealing.purpose(queries.TABLE, "name_sealed", one.pk),
            bytes(one.name_sealed),
        )


def test_a_learner_that_is_not_there_is_unknown():
    with pytest.raises(queries.UnknownLearner):
        queries.learner("00000000-0000-0000-0000-000000000000")
    assert queries.by_identity(people.resident()) is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM learners_learner")
        assert cursor.fetchone() == (0,)

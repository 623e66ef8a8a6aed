"""Taking hold of a waiting account: by proof, once, by the right person."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connections
from hypothesis import given
from hypothesis import strategies as st

from creditbank.clock import now
from creditbank.users.models import User
from creditbank.users.operations import PersonMismatch, bind_person
from learners import operations, proofs, queries
from learners.models import ClaimAttempts, ClaimCode, Learner
from learners.operations import AlreadyClaimed, LearnerForgotten, TooManyAttempts, UserHasLearner
from learners.proofs import (
    ClaimCodeExpired,
    ClaimCodeTypo,
    ClaimCodeUnknown,
    ClaimCodeUsed,
    ClaimRefused,
    OwnClaimCode,
)
from tests.institutions import cast
from tests.learners import people


@pytest.fixture
def clerk(db) -> User:
    return cast.make_member(cast.make_institution()).user


def test_a_code_binds_the_user_who_brings_it_to_the_learner_it_was_made_for(clerk):
    learner, user = people.register(), cast.make_user()
    claimed = operations.claim(user=user, code=operations.issue_claim_code(learner, clerk))
    assert claimed == learner
    assert not claimed.is_waiting
    assert queries.learner_of(user) == learner
    assert claimed.claimed_at is not None
    assert bytes(User.objects.get(pk=user.pk).person_digest) == bytes(learner.identity_digest)
    found = operations.find_or_open(document=queries.identity(learner), name="李示例")
    assert not found.waiting


def test_a_code_is_read_with_any_case_blanks_and_look_alike_letters(clerk):
    learner = people.register()
    code = operations.issue_claim_code(learner, clerk)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert operations.claim(user=cast.make_user(), code=f" {typed} ") == learner


def test_a_code_has_enough_randomness_and_a_check_character():
    codes = {proofs.new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", code)
        assert proofs.normalise_code(code) == code.replace("-", "")
    # 27 base32 characters beside the check character: 135 bits.
    assert proofs.RANDOM_CHARACTERS * 5 >= 128


@given(st.integers(0, 27), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_a_typing_error_and_no_unknown_code(position, character):
    plain = proofs.new_code().replace("-", "")
    wrong = plain[:position] + character + plain[position + 1 :]
    if wrong == plain:
        return
    with pytest.raises(ClaimCodeTypo) as refused:
        proofs.normalise_code(wrong)
    assert refused.value.facts["reason"] == "check"


@pytest.mark.parametrize(
    ("text", "why"), [("", "length"), ("A" * 27, "length"), ("U" * 28, "character")]
)
def test_what_cannot_be_a_code_is_told_apart(text, why):
    with pytest.raises(ClaimCodeTypo) as refused:
        proofs.normalise_code(text)
    assert refused.value.facts["reason"] == why


def test_a_code_that_was_never_handed_out_claims_nothing(clerk):
    people.register()
    with pytest.raises(ClaimCodeUnknown):
        operations.claim(user=cast.make_user(), code=proofs.new_code())


def test_a_code_is_good_for_one_use(clerk):
    learner, user = people.register(), cast.make_user()
    code = operations.issue_claim_code(learner, clerk)
    operations.claim(user=user, code=code)
    for another in (user, cast.make_user()):
        with pytest.raises(ClaimCodeUsed):
            operations.claim(user=another, code=code)
    assert queries.learner_of(user) == learner


def test_a_code_is_good_for_thirty_days(clerk):
    learner = people.register()
    code = operations.issue_claim_code(learner, clerk)
    issued = ClaimCode.objects.get().issued_at
    with (
        time_machine.travel(issued + timedelta(days=30), tick=False),
        pytest.raises(ClaimCodeExpired),
    ):
        operations.claim(user=cast.make_user(), code=code)
    with time_machine.travel(issued + timedelta(days=30, seconds=-1), tick=False):
        assert operations.claim(user=cast.make_user(), code=code) == learner


def test_a_newer_code_takes_the_place_of_an_older_one(clerk):
    learner = people.register()
    old = operations.issue_claim_code(learner, clerk)
    new = operations.issue_claim_code(learner, clerk)
    with pytest.raises(ClaimCodeUsed):
        operations.claim(user=cast.make_user(), code=old)
    assert operations.claim(user=cast.make_user(), code=new) == learner


def test_two_open_codes_for_one_learner_are_refused_by_the_database(clerk):
    learner = people.register()
    operations.issue_claim_code(learner, clerk)
    with pytest.raises(IntegrityError, match="claim_code_one_open"):
        ClaimCode.objects.create(
            learner=learner,
            digest=bytes(32),
            issued_by=clerk,
            expires_at=now() + timedelta(days=1),
        )


def test_a_claimed_account_is_not_claimed_again(clerk):
    learner = people.register()
    operations.claim(user=cast.make_user(), code=operations.issue_claim_code(learner, clerk))
    with pytest.raises(AlreadyClaimed):
        operations.issue_claim_code(learner, clerk)


def test_who_hands_out_a_code_does_not_use_it_under_any_sign_in(clerk):
    learner, second_sign_in = people.register(), cast.make_user()
    bind_person(user=clerk, digest=cast.person(1))
    bind_person(user=second_sign_in, digest=cast.person(1))
    code = operations.issue_claim_code(learner, clerk)
    for user in (clerk, second_sign_in):
        with pytest.raises(OwnClaimCode):
            operations.claim(user=user, code=code)
    assert operations.claim(user=cast.make_user(), code=code) == learner


def test_a_user_known_to_be_somebody_else_claims_nothing_and_the_code_stays_good(clerk):
    learner, stranger = people.register(), cast.make_user()
    bind_person(user=stranger, digest=cast.person(9))
    code = operations.issue_claim_code(learner, clerk)
    with pytest.raises(PersonMismatch):
        operations.claim(user=stranger, code=code)
    assert queries.learner_of(stranger) is None
    assert operations.claim(user=cast.make_user(), code=code) == learner


def test_a_member_whose_document_was_seen_claims_their_own_account(clerk):
    learner = people.register()
    colleague = cast.make_user()
    bind_person(user=colleague, digest=bytes(learner.identity_digest or b""))
    code = operations.issue_claim_code(learner, clerk)
    assert operations.claim(user=colleague, code=code) == learner


def test_a_user_holds_one_learner(clerk):
    user = cast.make_user()
    operations.claim(user=user, code=operations.issue_claim_code(people.register(), clerk))
    with pytest.raises(UserHasLearner):
        operations.claim(user=user, code=operations.issue_claim_code(people.register(), clerk))


def test_eleven_tries_within_an_hour_are_one_too_many(clerk):
    learner, user = people.register(), cast.make_user()
    code = operations.issue_claim_code(learner, clerk)
    at = now()
    with time_machine.travel(at, tick=False):
        for _ in range(operations.ATTEMPTS_MAX):
            with pytest.raises(ClaimCodeUnknown):
                operations.claim(user=user, code=proofs.new_code())
        with pytest.raises(TooManyAttempts):
            operations.claim(user=user, code=code)
        assert operations.claim(
            user=cast.make_user(), code=operations.issue_claim_code(people.register(), clerk)
        )
    with (
        time_machine.travel(at + timedelta(minutes=59), tick=False),
        pytest.raises(TooManyAttempts),
    ):
        operations.claim(user=user, code=code)
    with time_machine.travel(at + timedelta(hours=1), tick=False):
        assert operations.claim(user=user, code=code) == learner
    assert not ClaimAttempts.objects.filter(user=user).exists()


def test_two_users_who_bring_one_code_at_once_are_told_apart(clerk):
    learner = people.register()
    code = operations.issue_claim_code(learner, clerk)
    users = [cast.make_user() for _ in range(4)]
    gate = threading.Barrier(len(users))
    outcomes: list[str] = []

    def bring(user: User) -> None:
        try:
            gate.wait()
            operations.claim(user=user, code=code)
            outcomes.append("claimed")
        except ClaimRefused as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bring, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["claim-code-used"] * 3 + ["claimed"]
    assert Learner.objects.filter(user__isnull=False).count() == 1


def test_handing_out_and_using_codes_at_once_never_locks_up(clerk):
    learner = people.register()
    gate = threading.Barrier(2)
    outcomes: list[str] = []
    codes = [operations.issue_claim_code(learner, clerk)]

    def work(action) -> None:
        try:
            gate.wait()
            action()
            outcomes.append("done")
        except ClaimRefused as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=work, args=(action,))
        for action in (
            lambda: operations.issue_claim_code(learner, clerk),
            lambda: operations.claim(user=cast.make_user(), code=codes[0]),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["already-claimed", "done"], ["claim-code-used", "done"])


def test_another_proof_than_a_code_binds_in_the_same_way(clerk):
    class RealNameSignIn:
        """What an identity provider vouches for: a document, found by its digest."""

        def __init__(self, document):
            self.document = document

        def redeem(self, *, user, at):
            learner = queries.by_identity(self.document)
            if learner is None:
                raise ClaimRefused
            return learner

    learner, user = people.register(), cast.make_user()
    proof = RealNameSignIn(queries.identity(learner))
    assert operations.bind(user=user, proof=proof) == learner
    with pytest.raises(AlreadyClaimed):
        operations.bind(user=cast.make_user(), proof=proof)
    with pytest.raises(ClaimRefused):
        operations.bind(user=cast.make_user(), proof=RealNameSignIn(people.resident()))


def test_nobody_claims_a_person_who_was_forgotten(clerk):
    learner = people.register()
    code = operations.issue_claim_code(learner, clerk)
    operations.forget_learner(learner)
    with pytest.raises(ClaimCodeUnknown):
        operations.claim(user=cast.make_user(), code=code)
    with pytest.raises(LearnerForgotten):
        operations.issue_claim_code(learner, clerk)


def test_consent_is_given_once_under_a_wording_and_withdrawn_for_good(clerk):
    learner = people.register()
    first = operations.give_consent(learner=learner, purpose="mutual-recognition", wording="2026-1")
    again = operations.give_consent(learner=learner, purpose="mutual-recognition", wording="2026-1")
    assert first == again
    newer = operations.give_consent(learner=learner, purpose="mutual-recognition", wording="2026-2")
    operations.withdraw_consent(learner=learner, purpose="mutual-recognition")
    operations.withdraw_consent(learner=learner, purpose="mutual-recognition")
    held = queries.consents(learner)
    assert held == [first, newer]
    assert all(consent.withdrawn_at is not None for consent in held)

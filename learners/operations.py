"""What can be done with learners: open, claim, consent, forget."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.clock import now
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.ledger import learnerkeys, linked
from creditbank.ledger import operations as ledger
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users import operations as users
from creditbank.users.models import User
from learners import leaving, links, proofs, queries, sealing
from learners.identity import IdentityDocument, names_match, normalise_name
from learners.models import (
    ClaimAttempts,
    ClaimCode,
    Consent,
    ConsentPurpose,
    Learner,
    LearnerAccount,
)
from learners.proofs import ClaimRefused, CodeProof, IdentityProof

logger = logging.getLogger(__name__)

CODE_VALID_FOR: Final = timedelta(days=30)
ATTEMPTS_MAX: Final = 10
ATTEMPTS_WINDOW: Final = timedelta(hours=1)
_TRIES: Final = 5


class LearnerExists(DomainError):
    """The bank already has an account for this identity."""

    code: ClassVar[str] = "learner-exists"


class AlreadyClaimed(ClaimRefused):
    """Somebody has claimed this learner's account before."""

    code: ClassVar[str] = "already-claimed"


class UserHasLearner(ClaimRefused):
    """The user has claimed another learner's account."""

    code: ClassVar[str] = "user-has-learner"


class LearnerForgotten(ClaimRefused):
    """The register no longer holds this person."""

    code: ClassVar[str] = "learner-forgotten"


class TooManyAttempts(ClaimRefused):
    """The user has tried too many codes within the hour."""

    code: ClassVar[str] = "too-many-attempts"


class AccountsOverlap(DomainError):
    """Two accounts hold one outcome in force; the facts list the entries' indexes."""

    code: ClassVar[str] = "accounts-overlap"


class AccountTaken(DomainError):
    """The account belongs to a learner already."""

    code: ClassVar[str] = "account-taken"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody as a record names them: a checked document and a name."""

    document: IdentityDocument
    name: str


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Which learner a person is, and how that was found.

    `waiting`: nobody has claimed the account (待认领). `opened`: the bank had
    never seen this identity, and opened an account for it now. `name_matches`:
    the name given is the name held.
    """

    learner: Learner
    waiting: bool
    opened: bool
    name_matches: bool


# -- opening ----------------------------------------------------------------------------------
def find_or_open(*, document: IdentityDocument, name: str) -> Resolution:
    """Find the learner who holds a document, or open a waiting account for them.

    Raises NameInvalid. Two callers who meet an unknown identity at once get one
    and the same learner.
    """
    return find_or_open_all([Person(document=document, name=name)])[0]


def find_or_open_all(people: Sequence[Person]) -> list[Resolution]:
    """Find the learners of many people, or open waiting accounts; answers in the order asked.

    One person may stand in the list more than once. All or none. Raises
    NameInvalid before anything is opened.
    """
    names = [normalise_name(person.name) for person in people]
    digests = [sealing.identity_digest(person.document) for person in people]
    fresh: dict[bytes, tuple[IdentityDocument, str]] = {}
    for person, name, digest in zip(people, names, digests, strict=True):
        fresh.setdefault(digest, (person.document, name))
    with transaction.atomic():
        held = _held(list(fresh))
        opened: set[bytes] = set()
        for last in range(_TRIES):
            missing = sorted(digest for digest in fresh if digest not in held)
            if not missing:
                break
            try:
                created = _open_learners({digest: fresh[digest] for digest in missing})
            except IntegrityError:
                # Somebody opened one of them since we looked. Their row is now
                # committed, so that the next look finds it.
                if last == _TRIES - 1:
                    raise
                held |= _held(missing)
                continue
            held |= created
            opened = set(created)
    keys_seen: set[bytes] = set()
    answers = []
    for digest, name in zip(digests, names, strict=True):
        learner = held[digest]
        first_time = digest in opened and digest not in keys_seen
        keys_seen.add(digest)
        matches = digest in opened and name == fresh[digest][1]
        answers.append(
            Resolution(
                learner=learner,
                waiting=learner.is_waiting,
                opened=first_time,
                name_matches=matches or names_match(name, queries.display_name(learner)),
            )
        )
    return answers


def _held(digests: Sequence[bytes]) -> dict[bytes, Learner]:
    rows = Learner.objects.filter(identity_digest__in=digests)
    return {bytes(row.identity_digest): row for row in rows if row.identity_digest is not None}


def _open_learners(
    people: dict[bytes, tuple[IdentityDocument, str]],
) -> dict[bytes, Learner]:
    """Open accounts and insert learners, by digest in order, so that two callers never deadlock.

    Raises IntegrityError, with nothing left behind, when somebody else was first.
    """
    with transaction.atomic():
        # The keys are in a database of their own, which a rollback here does not
        # reach: the loser of a race leaves secrets that nothing is sealed under.
        numbers = ledger.open_accounts(len(people))
        rows: dict[bytes, Learner] = {}
        for number, (digest, (document, name)) in zip(numbers, people.items(), strict=True):
            pk = uuid.uuid4()
            rows[digest] = Learner(
                pk=pk,
                account_id=number,
                document_type=document.type,
                name_sealed=_seal(number, "name_sealed", pk, name),
                identity_sealed=_seal(number, "identity_sealed", pk, document.number),
                identity_digest=digest,
            )
        Learner.objects.bulk_create(rows.values())
        LearnerAccount.objects.bulk_create(
            LearnerAccount(account_id=row.account_id, learner=row) for row in rows.values()
        )
    return rows


def _seal(account: int, column: str, pk: uuid.UUID, text: str) -> bytes:
    return sealing.seal(account, sealing.purpose(queries.TABLE, column, pk), text)


def register_learner(
    *, document: IdentityDocument, name: str, acting_user: User | None = None
) -> Learner:
    """Open an account for a person whose document was seen; it waits to be claimed.

    Raises LearnerExists when the bank knows the identity, NameInvalid.
    """
    answer = find_or_open(document=document, name=name)
    if not answer.opened:
        raise LearnerExists(gettext("这个证件号码已有账户。"), waiting=answer.waiting)
    by = f"user {acting_user.pk}" if acting_user is not None else "set-up"
    logger.info("learner registered: %s by %s", answer.learner.pk, by)
    return answer.learner


def link_account(*, learner: Learner, account: int) -> None:
    """Add a further account to a learner's own. Done twice, nothing changes.

    Raises AccountTaken when it is another learner's, and AccountsOverlap when
    both hold one outcome, which would count twice: one of the two is reversed
    first. Entries never move: totals and duplicate checks run over all accounts
    of a learner. The log does not grow meanwhile.
    """
    with transaction.atomic():
        linked.hold_appends()
        link, created = LearnerAccount.objects.get_or_create(
            account_id=account, defaults={"learner": learner}
        )
        if link.learner_id != learner.pk:
            raise AccountTaken(gettext("这个账户属于另一位学习者。"))
        twice = links.held_twice(queries.accounts_of(learner)) if created else []
        if twice:
            raise AccountsOverlap(
                gettext("这些账户中有同一项学习成果，请先由记录机构冲正其中一笔。"), indexes=twice
            )


# -- claiming ---------------------------------------------------------------------------------
def issue_claim_code(learner: Learner, clerk: User) -> str:
    """Hand out a claim code for a waiting learner whose document the clerk has seen.

    The code is shown once and kept as a digest; it is good for thirty days and
    one use. A code handed out before is no longer good. Raises AlreadyClaimed,
    LearnerForgotten.
    """
    code = proofs.new_code()
    at = now()
    with transaction.atomic():
        held = Learner.objects.select_for_update().get(pk=learner.pk)
        _refuse_unless_waiting(held)
        ClaimCode.objects.filter(
            learner=held, used_at__isnull=True, replaced_at__isnull=True
        ).update(replaced_at=at)
        ClaimCode.objects.create(
            learner=held,
            digest=proofs.code_digest(code),
            issued_by=clerk,
            issued_at=at,
            expires_at=at + CODE_VALID_FOR,
        )
        security.record(EventKind.CLAIM_CODE_ISSUED, actor=clerk.pk, learner=str(held.pk))
    return code


def claim(*, user: User, code: str) -> Learner:
    """Claim the waiting account that a code was handed out for.

    Every try is counted before it is made, ten within an hour; call it outside
    any transaction, so that a refused try stays counted. Raises TooManyAttempts
    and all that `bind` and `CodeProof.redeem` raise.
    """
    at = now()
    _count_attempt(user, at)
    learner = bind(user=user, proof=CodeProof(code=code), at=at)
    ClaimAttempts.objects.filter(user=user).delete()
    return learner


def bind(*, user: User, proof: IdentityProof, at: datetime | None = None) -> Learner:
    """Bind the user who is signed in to the learner that a proof names.

    From then on the user is known to be that person. Raises ClaimRefused
    (AlreadyClaimed, UserHasLearner, LearnerForgotten and the proof's own), and
    PersonMismatch when the user is known to be somebody else.
    """
    moment = at or now()
    with transaction.atomic():
        learner = proof.redeem(user=user, at=moment)
        held = Learner.objects.select_for_update().get(pk=learner.pk)
        _refuse_unless_waiting(held)
        assert held.identity_digest is not None
        if Learner.objects.filter(user=user).exists():
            raise UserHasLearner(gettext("您已认领过一个账户。"))
        users.bind_person(user=user, digest=bytes(held.identity_digest))
        held.user = user
        held.claimed_at = moment
        held.save(update_fields=["user", "claimed_at"])
    return held


def _refuse_unless_waiting(learner: Learner) -> None:
    if learner.is_forgotten:
        raise LearnerForgotten(gettext("登记簿已不再保存此人的信息。"))
    if learner.user_id is not None:
        raise AlreadyClaimed(gettext("这个账户已被认领。"))


def _count_attempt(user: User, at: datetime) -> None:
    with transaction.atomic():
        ClaimAttempts.objects.get_or_create(user=user, defaults={"since": at, "count": 0})
        row = ClaimAttempts.objects.select_for_update().get(user=user)
        if row.since + ATTEMPTS_WINDOW <= at:
            row.since, row.count = at, 0
        if row.count >= ATTEMPTS_MAX:
            raise TooManyAttempts(
                gettext("尝试次数过多，请一小时后再试。"),
                again_at=(row.since + ATTEMPTS_WINDOW).isoformat(),
            )
        row.count += 1
        row.save(update_fields=["since", "count"])


# -- consent ----------------------------------------------------------------------------------
def give_consent(*, learner: Learner, purpose: str, wording: str) -> Consent:
    """Note a learner's consent to one purpose under a wording (its version).

    Done twice under one wording, the first is returned; another wording ends
    the consent under the old one.
    """
    wanted = ConsentPurpose(purpose)
    with transaction.atomic():
        Learner.objects.select_for_update().get(pk=learner.pk)
        held = learner.consents.filter(purpose=wanted, withdrawn_at__isnull=True).first()
        if held is not None and held.wording == wording:
            return held
        if held is not None:
            held.withdrawn_at = now()
            held.save(update_fields=["withdrawn_at"])
        return Consent.objects.create(learner=learner, purpose=wanted, wording=wording)


def withdraw_consent(*, learner: Learner, purpose: str) -> None:
    """Withdraw a consent; what was done under it stays done. Done twice, nothing changes."""
    learner.consents.filter(purpose=purpose, withdrawn_at__isnull=True).update(withdrawn_at=now())


# -- forgetting -------------------------------------------------------------------------------
def forget_learner(learner: Learner) -> None:
    """Forget a person for good: nothing of them can be read any more, every proof stays valid.

    Blanks the sealed columns and the digest, ends the user (unless the user
    still acts for an institution: then only the tie between the two goes),
    deletes codes and consents, and last deletes the accounts' keys, without
    which openings, write-ahead log and backups cannot be read. The accounts and
    their entries stay. Safe to repeat: it finishes what a crash left. Must not
    run inside a transaction, since a key cannot be brought back. Raises what
    the other parts of the bank raise that hold something of the person
    (`leaving`), with nothing forgotten.
    """
    if not learner.is_forgotten:
        leaving.give_up_all(learner)
    with transaction.atomic(durable=True):
        held = Learner.objects.select_for_update().get(pk=learner.pk)
        accounts = queries.accounts_of(held)
        if not held.is_forgotten:
            user = held.user
            ClaimCode.objects.filter(learner=held).delete()
            Consent.objects.filter(learner=held).delete()
            held.user = None
            held.claimed_at = None
            held.document_type = ""
            held.name_sealed = b""
            held.identity_sealed = b""
            held.identity_digest = None
            held.forgotten_at = now()
            held.save()
            if user is not None:
                ClaimAttempts.objects.filter(user=user).delete()
                if not institutions.memberships(user):
                    users.end_user(user)
            security.record(EventKind.LEARNER_FORGOTTEN, actor=None, learner=str(held.pk))
    learnerkeys.forget(accounts)
    learner.refresh_from_db()


def finish_forgetting() -> int:
    """Delete the keys that a crash in `forget_learner` has left; return how many there were."""
    accounts = LearnerAccount.objects.filter(learner__forgotten_at__isnull=False)
    left = learnerkeys.keys_of(int(number) for number in accounts.values_list("pk", flat=True))
    return learnerkeys.forget(left) if left else 0

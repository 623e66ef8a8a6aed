"""What can be read of learners."""

from __future__ import annotations

from typing import ClassVar

from creditbank.errors import DomainError
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.users.models import User
from learners import sealing
from learners.identity import DocumentType, IdentityDocument
from learners.models import Consent, Learner, LearnerAccount

TABLE = Learner._meta.db_table


class UnknownLearner(DomainError):
    """There is no such learner."""

    code: ClassVar[str] = "unknown-learner"


def learner_of(user: User) -> Learner | None:
    """Return the learner that a user has claimed, if any."""
    return Learner.objects.filter(user_id=user.pk).first()


def learner(pk: str) -> Learner:
    """Return a learner by id. Raises UnknownLearner."""
    found = Learner.objects.filter(pk=pk).first()
    if found is None:
        raise UnknownLearner(learner=str(pk))
    return found


def by_identity(document: IdentityDocument) -> Learner | None:
    """Return the learner who holds a document, if the bank knows them."""
    return Learner.objects.filter(identity_digest=sealing.identity_digest(document)).first()


def by_account(account: int) -> Learner | None:
    """Return the learner whose account a number is, if there is one."""
    link = LearnerAccount.objects.select_related("learner").filter(account_id=account).first()
    return link.learner if link else None


def accounts_of(learner: Learner) -> list[int]:
    """Return the numbers of a learner's accounts, the first one first."""
    numbers = [
        int(number)
        for number in LearnerAccount.objects.filter(learner=learner)
        .order_by("since", "account_id")
        .values_list("account_id", flat=True)
    ]
    numbers.sort(key=lambda number: number != learner.account_id)
    return numbers


def display_name(learner: Learner) -> str:
    """Return a learner's name. Raises PersonForgotten."""
    return _opened(learner, "name_sealed", bytes(learner.name_sealed))


def identity(learner: Learner) -> IdentityDocument:
    """Return the document that a learner is known by. Raises PersonForgotten."""
    number = _opened(learner, "identity_sealed", bytes(learner.identity_sealed))
    return IdentityDocument(type=DocumentType(learner.document_type), number=number)


def masked_identity(learner: Learner) -> str:
    """Return the document's number with its middle hidden. Raises PersonForgotten."""
    return identity(learner).masked


def consents(learner: Learner) -> list[Consent]:
    """Return what a learner has consented to, withdrawn consents included, oldest first."""
    return list(learner.consents.all())


def _opened(learner: Learner, column: str, sealed: bytes) -> str:
    if learner.is_forgotten:
        raise PersonForgotten(learner=str(learner.pk))
    return sealing.open_sealed(
        learner.account_id, sealing.purpose(TABLE, column, learner.pk), sealed
    )

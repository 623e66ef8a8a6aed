"""What the workflow of recognition refuses, each with a code that never changes."""

from __future__ import annotations

from typing import ClassVar

from creditbank.access import Forbidden
from creditbank.errors import DomainError, Refusals


class RequestRefused(Refusals):
    """A request that cannot be filed: every problem of every outcome and target. Nothing is kept.

    The problem of an outcome that is used or reserved has the number of the
    decision or request as its `value`, so that a page can lead there.
    """

    code: ClassVar[str] = "request-refused"


class RequestNotOpen(DomainError):
    """The request was decided or withdrawn before; its state is among the facts."""

    code: ClassVar[str] = "request-not-open"


class NotAutomatic(DomainError):
    """There is no automatic refusal here that a person could look at."""

    code: ClassVar[str] = "not-automatic"


class VerdictsRefused(Refusals):
    """Verdicts that a proposal does not admit: every one of them. Nothing is decided."""

    code: ClassVar[str] = "verdicts-refused"


class FactRefused(DomainError):
    """A fact that no rule of the case asks for, or without a value."""

    code: ClassVar[str] = "fact-refused"


class NothingToJudge(DomainError):
    """The rule is met, or is not met, without anybody's judgement."""

    code: ClassVar[str] = "nothing-to-judge"


class DecisionNotOpen(DomainError):
    """The decision is not waiting for anybody's agreement; its state is among the facts."""

    code: ClassVar[str] = "decision-not-open"


class CaseChanged(DomainError):
    """The case has changed since it was proposed (a rule, an outcome): it is to be proposed anew."""

    code: ClassVar[str] = "case-changed"


class StageNotYours(Forbidden):
    """The decision is at a stage that another institution decides; the facts name it."""

    code: ClassVar[str] = "stage-not-yours"


class ExpertNeeded(Forbidden):
    """What is still missing on the panel is an industry expert."""

    code: ClassVar[str] = "expert-needed"


class AppealRefused(Refusals):
    """An appeal that cannot be filed: every reason."""

    code: ClassVar[str] = "appeal-refused"


class AppealNotOpen(DomainError):
    """The appeal was answered or withdrawn before; its state is among the facts."""

    code: ClassVar[str] = "appeal-not-open"


class TextMissing(DomainError):
    """Something is to be said in words."""

    code: ClassVar[str] = "text-missing"


class FileRefused(DomainError):
    """A file that is not taken: too large, or of another kind."""

    code: ClassVar[str] = "file-refused"


class PreApprovalRefused(Refusals):
    """A pre-approval that cannot be given: every problem."""

    code: ClassVar[str] = "pre-approval-refused"


class PreApprovalNotOpen(DomainError):
    """The pre-approval is not waiting for approval; its state is among the facts."""

    code: ClassVar[str] = "pre-approval-not-open"


class NotFlagged(DomainError):
    """Nothing that the decision rests on has fallen."""

    code: ClassVar[str] = "decision-not-flagged"

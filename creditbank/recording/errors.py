"""What recording refuses, each with a code that never changes."""

from __future__ import annotations

from typing import ClassVar

from creditbank.errors import DomainError, Refusals


class RowsRefused(Refusals):
    """Rows that cannot be entered: every problem of every row. Nothing was entered."""

    code: ClassVar[str] = "rows-refused"


class NothingNew(DomainError):
    """The bank already holds every one of the rows; the facts say where (`indexes`)."""

    code: ClassVar[str] = "nothing-new"


class NoRows(DomainError):
    """There are no rows."""

    code: ClassVar[str] = "no-rows"


class TooManyRows(DomainError):
    """More rows than one draft, or one question, may hold."""

    code: ClassVar[str] = "too-many-rows"


class DraftNotOpen(DomainError):
    """The draft was decided or withdrawn before; its state is among the facts."""

    code: ClassVar[str] = "draft-not-open"


class ReasonMissing(DomainError):
    """A refusal or a reversal says why."""

    code: ClassVar[str] = "reason-missing"


class UploadNotChecked(DomainError):
    """The file is still being checked, could not be read, or was purged."""

    code: ClassVar[str] = "upload-not-checked"


class DraftBeingRecorded(DomainError):
    """Another process is recording this draft at this moment."""

    code: ClassVar[str] = "draft-being-recorded"

"""What can go wrong around the bank's services, each with a stable code."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """A service could not be found, placed, started or stopped. The message is a whole sentence."""

    code: ClassVar[str] = "service-error"


class ProgramMissing(ServiceError):
    """The wheel that holds the server's programs is not installed."""

    code: ClassVar[str] = "program-missing"


class FolderRefused(ServiceError):
    """The folder is not one this service may use: a file, someone else's, or full of other things."""

    code: ClassVar[str] = "folder-refused"


class FolderInUse(ServiceError):
    """Another process runs a service in this folder."""

    code: ClassVar[str] = "folder-in-use"


class StartFailed(ServiceError):
    """The program ended, or was not ready in time; the message ends with its last words."""

    code: ClassVar[str] = "start-failed"


class StopFailed(ServiceError):
    """The program did not end in time, and had to be killed."""

    code: ClassVar[str] = "stop-failed"


class NotRunning(ServiceError):
    """The service is not running, so it has no address."""

    code: ClassVar[str] = "not-running"

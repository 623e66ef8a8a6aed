"""The package of a decision at rest: sealed under the account's key."""

from __future__ import annotations

from typing import Final

from creditbank.recognition.deciding import packages
from creditbank.recognition.deciding.packages import Package
from creditbank.recognition.models import Decision
from creditbank.recognition.workflow import sealing

PACKAGE: Final = "package"


def seal_package(decision: Decision, data: bytes) -> bytes:
    """Seal a package's canonical bytes for their decision. Raises PersonForgotten."""
    return sealing.seal(decision.account_id, PACKAGE, decision.pk, data)


def package_bytes(decision: Decision) -> bytes:
    """Return the package's canonical bytes. Raises PersonForgotten, SealBroken."""
    return sealing.unseal(decision.account_id, PACKAGE, decision.pk, bytes(decision.package_sealed))


def package_of(decision: Decision) -> Package:
    """Return a decision's package. Raises PersonForgotten, SealBroken."""
    return packages.decode(package_bytes(decision))

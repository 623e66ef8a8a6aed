"""What an audit found, and how much it read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

FINDINGS_MAX: Final = 200

Progress = Callable[[int, int], None]
"""Told how many leaves are read, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it must be: an invariant, where, and what was found."""

    code: str
    where: str
    index: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.code} at {self.where}{detail}"


@dataclass(kw_only=True)
class AuditReport:
    """What the audit read and what it found."""

    size: int = 0
    manifests: int = 0
    entries: int = 0
    opened: int = 0
    forgotten: int = 0
    checkpoints: int = 0
    tiles: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def first_wrong_index(self) -> int | None:
        """The lowest log index among the findings that have one."""
        indexes = [finding.index for finding in self.findings if finding.index is not None]
        return min(indexes, default=None)

    def found(self, code: str, where: str, index: int | None = None, detail: str = "") -> None:
        """Note a finding, unless there are many already."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(code=code, where=where, index=index, detail=detail))

    def add(self, other: AuditReport) -> None:
        """Add what another part of the audit read and found."""
        for name in ("manifests", "entries", "opened", "forgotten", "checkpoints", "tiles"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.findings += other.findings

    def settle(self) -> None:
        """Put the findings in the order of the log, those without an index last; keep the first."""
        last = float("inf")
        self.findings.sort(key=lambda finding: last if finding.index is None else finding.index)
        del self.findings[FINDINGS_MAX:]


Found = Callable[..., None]
"""`AuditReport.found`."""

"""Verifying an outcome now, as a report of numbered checks.

Five are what any stranger can check of a ledger proof; the last two are asked
of the register: that the outcome still stands, and that nothing else uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.ledger import events, logkeys
from creditbank.ledger import queries as ledger
from creditbank.proofs import signatures
from creditbank.recognition.deciding import proofsteps
from creditbank.recognition.deciding.proofsteps import CODES, Keys, State
from creditbank.recognition.models import Request, RequestSource
from creditbank.recognition.workflow.holdings import Holding
from creditbank.signer.client import SignerUnavailable

NAMES: Final[dict[str, str | Promise]] = {
    "opening": _("成果内容与登记簿的公开条目相符"),
    "manifest": _("公开条目在机构报送的清单中"),
    "signature": _("清单由授予机构当时有效的密钥签名"),
    "inclusion": _("条目已收入登记簿"),
    "checkpoint": _("登记簿的检查点由学分银行签名"),
    "in-force": _("未被冲正，未过有效期"),
    "unused": _("未被使用，未被其他申请占用"),
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of an outcome; numbers count from 1."""

    number: int
    code: str
    state: State
    why: str = ""

    @property
    def name(self) -> str | Promise:
        """What is checked, for readers."""
        return NAMES[self.code]


@dataclass(frozen=True, kw_only=True)
class Verified:
    """An outcome and its checks, as they came out at a moment."""

    holding: Holding
    at: datetime
    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """Invalid when one check is; else not checked when one could not be."""
        states = {check.state for check in self.checks}
        for state in (State.INVALID, State.UNCHECKED):
            if state in states:
                return state
        return State.VALID


def keys() -> Keys | None:
    """Return the keys that proofs are checked with, None while there is no way to know them."""
    try:
        own = logkeys.log_keys()
    except SignerUnavailable:
        return None
    return Keys(log=own.log, cosigners=own.cosigners, stream_keys=_stream_keys)


def _stream_keys(stream: str, index: int) -> list[signatures.Verifier]:
    newest = events.newest_checkpoint()
    return [
        signatures.verifier(key.algorithm, key.public)
        for key in events.published(newest).keys_below(newest.size).get(stream, [])
        if key.signed_in_force(index)
    ]


def verify(holding: Holding, *, request: Request) -> Verified:
    """Verify an outcome for a request: seven checks. Never raises for what it finds."""
    at = now()
    try:
        text = ledger.proof(holding.evidence.index).encode().decode()
        steps = {step.code: step for step in proofsteps.take(text, keys()).steps}
    except ledger.NotYetPublished:
        why = "not yet published"
        steps = {code: proofsteps.Step(code=code, state=State.UNCHECKED, why=why) for code in CODES}
    checks = [
        Check(number=number, code=code, state=steps[code].state, why=steps[code].why)
        if code in steps
        else Check(number=number, code=code, state=State.UNCHECKED, why="")
        for number, code in enumerate(CODES, 1)
    ]
    checks.append(_in_force(holding, request, len(checks) + 1))
    checks.append(_unused(holding, request, len(checks) + 1))
    return Verified(holding=holding, at=at, checks=tuple(checks))


def _in_force(holding: Holding, request: Request, number: int) -> Check:
    """Say whether the outcome stands: not undone, and not past its last day when it was asked for."""
    undone = holding.line.state in ("reversed", "expired")
    until = holding.line.valid_until
    over = until < request.filed_on and holding.line.state != "used"
    state = State.INVALID if undone or over else State.VALID
    why = holding.line.acted_reason or (until.isoformat() if over else "")
    return Check(
        number=number, code="in-force", state=state, why=why if state is State.INVALID else ""
    )


def _unused(holding: Holding, request: Request, number: int) -> Check:
    why = ""
    if holding.line.used_by:
        own = request.decisions.filter(number=holding.line.used_by).exists()
        why = "" if own else holding.line.used_by
    else:
        taken = (
            RequestSource.objects.select_related("request")
            .filter(leaf=holding.leaf, active=True)
            .exclude(request=request)
            .first()
        )
        why = taken.request.number if taken else ""
    state = State.INVALID if why else State.VALID
    return Check(number=number, code="unused", state=state, why=why)

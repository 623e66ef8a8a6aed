"""Compute a decision again, with nothing but the file (and the bank's trust list).

Pure: no network, no database, no Django. `python -m creditbank.recognition.replay
DECISION.json [--trust TRUST]` says for each check whether it holds, and ends with
0 (same), 1 (different, or a signature invalid), 2 (could not be checked in part)
or 3 (not a decision file, or wrong usage).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from creditbank.errors import Refusals
from creditbank.proofs import canonical
from creditbank.proofs.canonical import NotCanonical
from creditbank.recognition.deciding import (
    admission,
    computation,
    numbers,
    packages,
    procedure,
    proofsteps,
)
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding.computation import Computed, Inputs
from creditbank.recognition.deciding.exhibits import Exhibit
from creditbank.recognition.deciding.jsonforms import FormInvalid
from creditbank.recognition.deciding.packages import Package
from creditbank.recognition.deciding.proofsteps import Keys, Proved, State
from creditbank.recognition.language import differences, programmes, rules
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.trust import TrustInvalid, TrustList, parse_trust

VERSION: Final = "llcb/decision-file/v1"
LIMIT_SECONDS: Final = 60.0
FILE_MAX: Final = 32 << 20

Json = Any


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: its code, how it came out, where something differs, and why."""

    code: str
    state: State
    pointer: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a decision file came to."""

    number: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> str:
        """`same`, `different`, `signature-invalid` or `could-not-be-checked`."""
        bad = [check for check in self.checks if check.state is State.INVALID]
        if any(check.code in SIGNATURES for check in bad):
            return "signature-invalid"
        if bad:
            return "different"
        if any(check.state is State.UNCHECKED for check in self.checks):
            return "could-not-be-checked"
        return "same"

    @property
    def exit_code(self) -> int:
        """0 same, 1 different or a signature invalid, 2 could not be checked in part."""
        return {"same": 0, "could-not-be-checked": 2}.get(self.outcome, 1)

    def to_json(self) -> dict[str, Json]:
        """Return the report as JSON."""
        return {
            "number": self.number,
            "outcome": self.outcome,
            "checks": [
                {
                    "code": check.code,
                    "state": check.state.value,
                    **forms.said(pointer=check.pointer, why=check.why),
                }
                for check in self.checks
            ],
        }


SIGNATURES: Final = frozenset(
    [
        "entry",
        "entry-opening",
        "entry-manifest",
        "entry-signature",
        "entry-inclusion",
        "entry-checkpoint",
        "signer",
        "evidence-signature",
        "publication",
    ]
)
"""Checks that say whether the file is what the institution signed."""


# -- the file -----------------------------------------------------------------------------------
def verify(data: bytes, *, trust: TrustList | None) -> Report:
    """Check a decision file and compute it again. Never raises for what is in the file."""
    try:
        members = forms.only(
            canonical.decode(data), ["v", "package"], ["proof", "evidence", "documents"]
        )
        if members["v"] != VERSION:
            raise FormInvalid(value=str(members["v"])[:40], expected=VERSION)
        body = canonical.encode(members["package"])
        package = packages.from_json(members["package"])
        proof = forms.read_text(members.get("proof", ""))
        proofs = _proofs(members.get("evidence", {}))
        published = _proofs(members.get("documents", {}))
    except (NotCanonical, FormInvalid) as error:
        why = error.message if isinstance(error, FormInvalid) else str(error)
        facts = error.facts if isinstance(error, FormInvalid) else {}
        told = "; ".join(
            filter(None, [why, *(f"{name}: {value}" for name, value in facts.items())])
        )
        return Report(number="", checks=(Check(code="form", state=State.INVALID, why=told),))
    return Report(
        number=package.number,
        checks=(
            Check(code="form", state=State.VALID),
            *_entry(package, packages.digest(body), proof, trust),
            *_evidence(package, proofs, trust),
            *_documents(package, published, trust),
            *recomputed(package),
        ),
    )


def _proofs(value: Json) -> dict[str, str]:
    """Read proofs by the digest or leaf hash that each is of. Raises FormInvalid."""
    return {forms.read_text(name): forms.read_text(text) for name, text in _object(value).items()}


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise FormInvalid(value=str(value)[:40], expected="an object")
    return value


# -- what was signed --------------------------------------------------------------------------------
def _keys(trust: TrustList | None) -> Keys | None:
    """Return what proofs are checked with; nothing without a trust list."""
    if trust is None:
        return None
    return Keys(log=trust.log_key, cosigners=trust.cosigners, stream_keys=trust.stream_keys)


def _entry(package: Package, digest: bytes, proof: str, trust: TrustList | None) -> list[Check]:
    """Check that the ledger's entry is of this very package, and signed by the deciding body."""
    if not proof:
        why = "no proof of a ledger entry; a refusal has none"
        return [Check(code="entry", state=State.UNCHECKED, why=why)]
    proved = proofsteps.take(proof, _keys(trust))
    return [
        _same_entry(package, digest, proved),
        *(
            Check(code=f"entry-{step.code}", state=step.state, why=step.why)
            for step in proved.steps
        ),
        _signer(package, proved, trust),
    ]


def _same_entry(package: Package, digest: bytes, proved: Proved) -> Check:
    bundle = proved.bundle
    core = None if bundle is None or bundle.disclosure is None else bundle.disclosure.part("core")
    if core is None:
        return Check(code="entry", state=State.INVALID, why="the entry does not show what it says")
    said: dict[str, Json] = {
        "k": "recognise",
        "digest": forms.leaf(digest),
        "decision": package.number,
        "programme": package.programme.get("code"),
        "pv": package.programme.get("version"),
        "body": package.body,
        "body_name": package.body_name,
        "decided_on": package.decided_on.isoformat(),
        "q": int(package.credits * 100),
    }
    for name, value in said.items():
        if core.get(name) != value:
            return Check(
                code="entry",
                state=State.INVALID,
                pointer=_POINTERS.get(name, ""),
                why=f"the entry says {name} = {core.get(name)!r}, the file gives {value!r}",
            )
    return Check(code="entry", state=State.VALID)


_POINTERS: Final = {
    "decision": "/number",
    "programme": "/programme",
    "pv": "/programme",
    "body": "/body",
    "body_name": "/body_name",
    "decided_on": "/days/decided_on",
    "q": "/lines",
}


def _signer(package: Package, proved: Proved, trust: TrustList | None) -> Check:
    if trust is None or proved.bundle is None:
        return Check(code="signer", state=State.UNCHECKED, why="no trust list")
    stream = trust.streams.get(proved.bundle.manifest.text.split("\n")[1])
    if stream is None or stream.uscc != package.body:
        return Check(
            code="signer",
            state=State.INVALID,
            pointer="/body",
            why="the stream is not one of the deciding body's",
        )
    return Check(code="signer", state=State.VALID)


# -- the outcomes --------------------------------------------------------------------------------
def _evidence(package: Package, proofs: Mapping[str, str], trust: TrustList | None) -> list[Check]:
    """Check the commitments of all outcomes, and the proofs of those that are used."""
    checks = []
    for name, shown in (("evidence", package.evidence), ("held", package.held)):
        for position, exhibit in enumerate(shown):
            faults = exhibit.faults()
            if faults:
                pointer = f"/{name}/{position}/opening"
                checks.append(
                    Check(code="evidence", state=State.INVALID, pointer=pointer, why=faults[0])
                )
    used = set(package.used)
    for position, exhibit in enumerate(package.evidence):
        if exhibit.leaf_hash in used:
            checks.append(_proved(exhibit, position, proofs, trust))
    if not any(check.code == "evidence" for check in checks):
        checks.insert(0, Check(code="evidence", state=State.VALID))
    return checks


def _documents(package: Package, proofs: Mapping[str, str], trust: TrustList | None) -> list[Check]:
    """Check that the programme and each rule were published, and signed by their owner.

    A pre-approval was entered for its learner; its opening shows the same digest.
    """
    found = [("/programme", package.programme)]
    found += [(f"/rules/{position}", rule) for position, rule in enumerate(package.rules)]
    return [_published(pointer, document, proofs, trust) for pointer, document in found]


def _published(
    pointer: str, document: packages.Document, proofs: Mapping[str, str], trust: TrustList | None
) -> Check:
    code = "publication"
    digest = forms.leaf(packages.digest(canonical.encode(document)))
    text = proofs.get(digest, "")
    if not text:
        return Check(code=code, state=State.UNCHECKED, pointer=pointer, why="no proof")
    proved = proofsteps.take(text, _keys(trust))
    bundle = proved.bundle
    core = None if bundle is None or bundle.disclosure is None else bundle.disclosure.part("core")
    if core is None or core.get("digest") != digest or core.get("k") not in _PUBLISHED:
        why = "the proof is of another document"
        return Check(code=code, state=State.INVALID, pointer=pointer, why=why)
    failed = [step for step in proved.steps if step.state is not State.VALID]
    why = "; ".join(f"{step.code}: {step.why}" for step in failed)
    return Check(code=code, state=proved.state, pointer=pointer, why=why)


_PUBLISHED: Final = frozenset({"rule-publish", "pre-approve"})


def _proved(
    exhibit: Exhibit, position: int, proofs: Mapping[str, str], trust: TrustList | None
) -> Check:
    pointer = f"/evidence/{position}"
    text = proofs.get(forms.leaf(exhibit.leaf_hash), "")
    if not text:
        return Check(
            code="evidence-signature", state=State.UNCHECKED, pointer=pointer, why="no proof"
        )
    proved = proofsteps.take(text, _keys(trust))
    bundle = proved.bundle
    if bundle is not None and (bundle.leaf, bundle.index) != (exhibit.leaf, exhibit.index):
        return Check(
            code="evidence-signature",
            state=State.INVALID,
            pointer=pointer,
            why="the proof is of another outcome",
        )
    failed = [step for step in proved.steps if step.state is not State.VALID]
    return Check(
        code="evidence-signature",
        state=proved.state,
        pointer=pointer,
        why="; ".join(f"{step.code}: {step.why}" for step in failed),
    )


# -- computing again -------------------------------------------------------------------------------
def recomputed(
    package: Package, read: tuple[Programme, Sequence[Rule]] | None = None
) -> list[Check]:
    """Compute a package again and say where the answer differs.

    `read` are the package's documents, for who has just written it from them.
    """
    try:
        programme, parsed = read or (
            programmes.parse(dict(package.programme)),
            tuple(rules.parse(dict(one)) for one in package.rules),
        )
        found = inputs_of(package, programme, parsed)
    except (Refusals, FormInvalid) as error:
        return [Check(code="documents", state=State.INVALID, why=_told(error))]
    try:
        computed = computation.compute(found, limit_seconds=LIMIT_SECONDS)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        return [Check(code="findings", state=State.INVALID, why=repr(error))]
    by_key = {(rule.code, rule.version): rule for rule in parsed}
    return [
        Check(code="documents", state=State.VALID),
        *_law(package, parsed),
        *_compared(
            "findings",
            [forms.finding(one) for one in package.findings],
            [forms.finding(one) for one in computed.findings],
        ),
        *_plan(package, computed),
        *_lines(package, computed, by_key),
        *_procedure(package, computed, by_key),
    ]


def _told(error: Refusals | FormInvalid) -> str:
    if isinstance(error, Refusals) and error.problems:
        first = error.problems[0]
        return f"{first.field}: {first.code}"
    return str(error)


def inputs_of(package: Package, programme: Programme, parsed: Sequence[Rule]) -> Inputs:
    """Return what a package was computed from. Raises FormInvalid.

    What was asked for and was in use by then, which an appeal can find, is held and no more.
    """
    asked = [one.evidence() for one in package.evidence]
    return Inputs(
        programme=programme,
        rules=tuple(parsed),
        evidence=tuple(one for one in asked if one.state == "available"),
        held=(
            *(one.evidence() for one in package.held),
            *(one for one in asked if one.state not in ("available", "lapsed")),
        ),
        earlier=tuple(one.line for one in package.earlier),
        targets=frozenset(package.targets),
        judged=frozenset((one.rule, one.version, one.leaves) for one in package.judged),
        filed_on=package.filed_on,
        law_on=package.law_on,
        award_on=package.award_on,
    )


def _compared(code: str, recorded: Json, again: Json) -> list[Check]:
    found = differences.between(recorded, again)
    if not found:
        return [Check(code=code, state=State.VALID)]
    return [
        Check(
            code=code,
            state=State.INVALID,
            pointer=f"/{code}{one.pointer}",
            why=f"recorded {_short(one.before)}, computed {_short(one.after)}",
        )
        for one in found
    ]


def _short(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:120]


def _plan(package: Package, computed: Computed) -> list[Check]:
    if package.plan.get("state") == "not-proved":
        why = "the plan was not proved to be the best when it was made"
        return [Check(code="plan", state=State.UNCHECKED, pointer="/plan/state", why=why)]
    return _compared("plan", package.plan, forms.plan(computed.plan))


def _law(package: Package, parsed: Sequence[Rule]) -> list[Check]:
    """Check that each rule that gave a line was in force on its law's day."""
    by_key = {(rule.code, rule.version): rule for rule in parsed}
    checks = []
    for position, line in enumerate(package.lines):
        rule = by_key.get((line.rule, line.version))
        if not line.target:
            continue
        if rule is None:
            why = f"no rule {line.rule} v{line.version} in the file"
            checks.append(_bad("law", f"/lines/{position}/rule", why))
            continue
        day = package.filed_on if rule.law == "filing" else package.law_on
        if not rule.in_force(day):
            why = f"{rule.code} v{rule.version} is not in force on {day.isoformat()}"
            checks.append(_bad("law", f"/lines/{position}/rule", why))
    return checks or [Check(code="law", state=State.VALID)]


def _bad(code: str, pointer: str, why: str) -> Check:
    return Check(code=code, state=State.INVALID, pointer=pointer, why=why)


def _lines(
    package: Package, computed: Computed, by_key: Mapping[tuple[str, int], Rule]
) -> list[Check]:
    """Check that what was decided is what the proposal admits."""
    plan = computed.plan.lines
    proposed = admission.proposal(plan, by_key, filed_on=package.filed_on, law_on=package.law_on)
    unused = admission.unused(
        plan,
        computed.findings,
        [one.leaf_hash for one in package.evidence],
        lapsed={one.leaf_hash for one in package.evidence if one.state != "available"},
    )
    expected = len(proposed) + len(unused)
    if len(package.lines) != expected:
        why = f"{len(package.lines)} lines, expected {expected}"
        return [_bad("lines", "/lines", why)]
    binding = {rule.code for rule in by_key.values() if numbers.is_pre_approval(rule.code)}
    checks = []
    for position, line in enumerate(package.lines):
        if position < len(proposed):
            faults = admission.faults_of(proposed[position], line, binding)
            why = "; ".join(fault.code for fault in faults)
        else:
            why = "" if line == unused[position - len(proposed)] else "not the computed answer"
        if why:
            checks.append(_bad("lines", f"/lines/{position}", why))
    return checks or [Check(code="lines", state=State.VALID)]


def _procedure(
    package: Package, computed: Computed, by_key: Mapping[tuple[str, int], Rule]
) -> list[Check]:
    """Check that as many people agreed as the rules ask for, stage by stage, and none twice."""
    asked = admission.procedure_of(computed.plan.lines, computed.findings, by_key)
    automatic = asked.automatic and not package.reviews
    recorded = dict(package.procedure)
    expected = procedure.to_json(asked)
    if package.reviews or package.appeal:
        expected["mode"] = "review"
    checks = [
        *_compared("procedure", recorded, expected),
        *_compared("fees", list(package.fees), [procedure.fee_to_json(fee) for fee in asked.fees]),
    ]
    why = "" if automatic else admission.missing_agreement(asked, package.reviews)
    checks.append(
        _bad("reviews", "/reviews", why) if why else Check(code="reviews", state=State.VALID)
    )
    return checks


# -- the command line -------------------------------------------------------------------------------
_MARKS: Final = {State.VALID: "✓", State.INVALID: "✗", State.UNCHECKED: "?"}
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "form": ("文件格式", "form"),
    "entry": ("登记的决定就是这份文件", "the registered decision is this file"),
    "entry-opening": ("登记内容与公开条目相符", "the entry's opening is the leaf's"),
    "entry-manifest": ("条目在报送清单中", "the leaf is the manifest's"),
    "entry-signature": ("清单由认定机构签名", "the manifest is signed by a key in force"),
    "entry-inclusion": ("条目已收入登记簿", "the leaf is in the log"),
    "entry-checkpoint": ("登记簿检查点签名", "the log's checkpoint is signed"),
    "signer": ("签名序列属于认定机构", "the stream is the deciding body's"),
    "evidence": ("成果内容与登记相符", "the outcomes are what was registered"),
    "evidence-signature": ("成果由授予机构签名登记", "the outcome is registered and signed"),
    "publication": ("文本由其制定者签名公布", "the document is published and signed"),
    "documents": ("规则与培养方案可以读取", "rules and programme can be read"),
    "law": ("规则在适用日有效", "the rules were in force on their law's day"),
    "findings": ("逐条判定", "findings"),
    "plan": ("最优方案", "best plan"),
    "lines": ("决定在方案允许的范围内", "what was decided is what the plan admits"),
    "procedure": ("程序", "procedure"),
    "fees": ("费用", "fees"),
    "reviews": ("同意的人数与阶段", "who agreed, stage by stage"),
}
HEADLINES: Final[Mapping[str, tuple[str, str]]] = {
    "same": ("一致：重新计算的结果与决定相同", "same: computed again, the decision is the same"),
    "different": ("不一致", "different"),
    "signature-invalid": ("签名无效", "signature invalid"),
    "could-not-be-checked": (
        "已检查的部分一致；有的部分未能检查",
        "same as far as it could be checked",
    ),
}
USAGE: Final = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with 3: 2 means that a check could not be made."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m creditbank.recognition.replay",
        description="离线重新计算一份认定决定。Compute a recognition decision again, offline.",
        epilog="0 一致 same · 1 不一致或签名无效 different or invalid · "
        "2 未能全部检查 could not be checked in part · 3 用法有误 wrong usage",
    )
    parser.add_argument("file", metavar="DECISION.json", type=Path, help="决定文件 the decision")
    parser.add_argument("--trust", type=Path, help="学分银行公布的信任名单 the bank's trust list")
    parser.add_argument("--json", action="store_true", help="输出 JSON print the report as JSON")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check one decision file and return the exit code."""
    arguments = _arguments(argv)
    try:
        trust = None if arguments.trust is None else parse_trust(arguments.trust.read_bytes())
        with arguments.file.open("rb") as stream:
            data = stream.read(FILE_MAX + 1)
    except (OSError, TrustInvalid) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    report = verify(data, trust=trust)
    text = (
        json.dumps(report.to_json(), ensure_ascii=False, indent=2)
        if arguments.json
        else as_text(report)
    )
    sys.stdout.write(text + "\n")
    return report.exit_code


def as_text(report: Report) -> str:
    """Return a report for readers, in both languages."""
    zh, en = HEADLINES[report.outcome]
    lines = [f"{report.outcome}  {zh} / {en}", f"No. {report.number}", ""]
    for check in report.checks:
        words_zh, words_en = WORDS[check.code]
        lines.append(f"{_MARKS[check.state]} {words_zh} / {words_en}")
        if check.pointer or check.why:
            lines.append(f"    {check.pointer} {check.why}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

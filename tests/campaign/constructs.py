"""Take each construct out of the engine and see the test of its kind fail.

    python -m tests.campaign.constructs [--only R05] [--jobs 2]

For every kind of rule, R1 to R43, its test is run as it is, which must pass, and
then once without each of the constructs that carry it, which must fail every
time. What still passes would not notice that the construct does nothing. A kind
without a test, or without a construct, fails too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.campaign.without import VARIABLE

ROOT: Final = Path(__file__).resolve().parent.parent.parent
KINDS: Final = "tests/recognition/kinds"
PLUGIN: Final = "tests.campaign.without"

CONDITIONS: Final = "creditbank.recognition.engine.conditions:CONDITIONS"
COMBINED: Final = "creditbank.recognition.engine.conditions:COMBINED"
AMOUNTS: Final = "creditbank.recognition.engine.amounts:AMOUNTS"
PARTS: Final = "creditbank.recognition.engine.allocation:PARTS"
GATES: Final = "creditbank.recognition.engine.gates:GATES"
NEEDED: Final = "creditbank.recognition.engine.evaluation:NEEDED"
PROCEDURE: Final = "creditbank.recognition.engine.evaluation:PROCEDURE"
PROCEDURES: Final = "creditbank.recognition.deciding.procedure:PARTS"
LIMITS: Final = "creditbank.recognition.planning.limits:CONSTRAINTS"
ALWAYS: Final = "creditbank.recognition.planning.limits:ALWAYS"
STANDING: Final = "creditbank.recognition.planning.standing"
SHORTFALLS: Final = f"{STANDING}:SHORTFALLS"

HELD: Final = "failed"
"""What should become of a test whose construct is gone: an assertion of its own fails."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of rule: its test, and the constructs that carry it, as `without` is told them.

    `pure` tests need no database and no conftest. `test` is the end of the test
    file's name, where a kind has several.
    """

    number: int
    constructs: tuple[str, ...]
    pure: bool = True
    test: str = "*"

    @property
    def name(self) -> str:
        return f"R{self.number}"

    @property
    def path(self) -> Path | None:
        """Its test file, by the beginning of its name."""
        found = sorted((ROOT / KINDS).glob(f"test_r{self.number:02}_{self.test}.py"))
        return found[0] if found else None


def condition(*names: str) -> tuple[str, ...]:
    return tuple(f"{CONDITIONS}:{name}=met" for name in names)


def limit(*names: str) -> tuple[str, ...]:
    return tuple(f"{LIMITS}:{name}=nothing" for name in names)


def procedure(*names: str) -> tuple[str, ...]:
    return tuple(f"{PROCEDURES}:{name}=unsaid" for name in names)


def kind(
    number: int, *constructs: str | tuple[str, ...], pure: bool = True, test: str = "*"
) -> Kind:
    """Name a kind and its constructs, single ones and groups of them."""
    told: list[str] = []
    for one in constructs:
        told += [one] if isinstance(one, str) else one
    return Kind(number=number, constructs=tuple(told), pure=pure, test=test)


ALL_KINDS: Final = (
    kind(1, condition("item", "completed")),
    kind(2, f"{NEEDED}:all=one", condition("fact")),
    kind(3, f"{PARTS}:to=first", f"{PARTS}:at_most=none"),
    kind(4, f"{NEEDED}:all=one", f"{PARTS}:to=first"),
    kind(
        5,
        condition("certificate_level"),
        f"{PARTS}:courses=every-course",
        f"{PARTS}:at_most=none",
        f"{PARTS}:choose=zero",
        f"{AMOUNTS}:lower=inner",
    ),
    kind(6, f"{AMOUNTS}:table=first-row"),
    kind(7, f"{AMOUNTS}:hours_per_credit=bank", f"{AMOUNTS}:round=inner"),
    kind(8, f"{PARTS}:mark=grade"),
    kind(9, f"{AMOUNTS}:lower=inner", f"{AMOUNTS}:higher=inner", f"{PARTS}:excess=lost"),
    kind(10, condition("fact")),
    kind(11, condition("grade", "score")),
    kind(12, condition("level")),
    kind(13, condition("field", "programme_field"), f"{AMOUNTS}:table=first-row"),
    kind(14, condition("age", "valid")),
    kind(15, condition("completed"), f"{GATES}:in_force=nothing", f"{GATES}:programmes=nothing"),
    kind(16, f"{AMOUNTS}:decay=inner"),
    kind(17, limit("cap")),
    kind(18, limit("bucket")),
    kind(19, limit("share")),
    kind(20, limit("residency")),
    kind(21, f"{ALWAYS}:once=nothing", f"{GATES}:state=nothing"),
    kind(22, f"{ALWAYS}:one-source=nothing"),
    kind(23, limit("exclusive")),
    kind(24, limit("highest")),
    kind(25, condition("held", "met")),
    kind(26, f"{AMOUNTS}:less=inner", f"{AMOUNTS}:table=first-row", condition("fact")),
    kind(27, f"{AMOUNTS}:table=first-row", f"{AMOUNTS}:hours_per_credit=bank"),
    kind(28, f"{AMOUNTS}:times=inner", condition("held", "kind")),
    kind(29, f"{PROCEDURE}:mode=false", test="automatic"),
    kind(29, procedure("automatic"), pure=False, test="without_application"),
    kind(30, limit("never"), f"{ALWAYS}:replaceable=nothing"),
    kind(31, f"{GATES}:catalogue=nothing", f"{GATES}:kinds=nothing", f"{GATES}:bodies=nothing"),
    kind(32, f"{GATES}:agreement=nothing"),
    kind(33, procedure("panel"), pure=False),
    kind(34, procedure("chain"), pure=False),
    kind(35, procedure("notice_days"), pure=False),
    kind(
        36,
        f"{PROCEDURES}:appeal_days=unlimited",
        "creditbank.recognition.workflow.appeals:_deciders=nothing",
        pure=False,
    ),
    kind(37, procedure("average"), pure=False),
    kind(38, procedure("fees"), pure=False),
    kind(
        39,
        *(f"{SHORTFALLS}:{name}=nothing" for name in ("total", "category", "required", "minimum")),
    ),
    kind(40, f"{STANDING}:OPENS:thresholds=nothing"),
    kind(
        41, f"{PARTS}:excess=lost", "creditbank.recognition.planning.tally:SPILLS:spills_to=nowhere"
    ),
    kind(
        42,
        f"{COMBINED}:any=true",
        f"{COMBINED}:all=true",
        f"{COMBINED}:n=true",
        f"{NEEDED}:of=one",
        f"{NEEDED}:all=one",
    ),
    kind(43, f"{PARTS}:waived=false"),
)


def run(of: Kind, without: str = "") -> str:
    """Run the test of a kind, with a construct taken out or none, and say what became of it."""
    assert of.path is not None
    quiet = ["-q", "-x", "-rf", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    # What is pure is run bare: no services are started for it, and no Django.
    bare = ["-c", os.devnull, "--rootdir", str(ROOT), "--import-mode=importlib", "--noconftest"]
    options = (
        [*bare, "-p", "no:django", "-p", "no:xdist"] if of.pure else ["-n", "0", "--timeout=0"]
    )
    environment = os.environ | {"COLUMNS": "400"}
    environment.pop(VARIABLE, None)
    if without:
        environment[VARIABLE] = without
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *quiet, *options, "-p", PLUGIN, str(of.path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return "passed"
    if done.returncode != 1:
        return "DID NOT RUN"
    reasons = [line.partition(" - ")[2] for line in done.stdout.splitlines() if " - " in line]
    asserted = all(reason.startswith(("assert", "AssertionError", "Failed:")) for reason in reasons)
    return HELD if reasons and asserted else f"CRASHED: {'; '.join(reasons)[:80]}"


def judge(of: Kind) -> list[tuple[str, str, str]]:
    """Return the rows of a kind: its name, the construct, and what became of the test."""
    if of.path is None:
        return [(of.name, "", "NO TEST")]
    if not of.constructs:
        return [(of.name, of.path.name, "NO CONSTRUCT")]
    if run(of) != "passed":
        return [(of.name, of.path.name, "FAILS AS IT IS")]
    became = [(told, run(of, told)) for told in of.constructs]
    return [
        (of.name, _short(told), "SURVIVED" if word == "passed" else word) for told, word in became
    ]


def _short(told: str) -> str:
    """Return a construct as the table shows it, without the modules' common beginning."""
    return told.removeprefix("creditbank.recognition.")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.constructs")
    parser.add_argument("--only", action="append", default=[], help="R05, R5 ...; may be repeated")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    wanted = {int(one.lstrip("Rr")) for one in options.only}
    kinds = [one for one in ALL_KINDS if not wanted or one.number in wanted]
    bad = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for rows in pool.map(judge, kinds):
            for name, construct, became in rows:
                print(f"{name:4} {construct:44} {became}", flush=True)
                bad += became != HELD
    count = len({one.number for one in kinds})
    print(f"{count} kinds, {bad} constructs that no test holds", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

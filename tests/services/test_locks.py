"""The lock files: every file pinned by hash, no host named, what is tested is what is deployed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(?: ;[^\\]*)? \\$", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_file_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=[^ \n])", text.strip()):
        first, *hashes = block.splitlines()
        assert PIN.match(first + "\n"), first
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("requirements.lock", "requirements.demo.lock"),
        ("requirements.demo.lock", "requirements.dev.lock"),
        ("requirements.dev.lock", "requirements.bench.lock"),
    ],
)
def test_a_larger_set_holds_the_smaller_one_version_for_version(smaller: str, larger: str) -> None:
    assert pins(smaller).items() <= pins(larger).items()


def test_the_projects_own_pins_are_those_of_the_locks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"]]
    for group in project["dependency-groups"].values():
        wanted += [entry for entry in group if isinstance(entry, str)]
    locked = pins("requirements.bench.lock")
    for requirement in wanted:
        name, exact, version = re.sub(r"\[.*?\]", "", requirement).partition("==")
        key = re.split(r"[<>=]", name)[0].lower().replace("_", "-")
        assert key in locked, requirement
        assert not exact or locked[key] == version, requirement

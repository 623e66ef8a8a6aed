"""What a simulation found, as a page shows it: figures, a plot with its table, limits, reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext

from creditbank.jobs.models import JobState
from creditbank.ledger.statements import credits_of
from creditbank.portals import rulewords, states
from creditbank.recognition.models import RuleVersion, Simulation
from creditbank.recognition.workflow.simulation import BINS, Counts

WIDTH: Final = 640
LABELS: Final = 96
"""Units of the plot's width that the names of the groups take, in the middle."""
ROW: Final = 34


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One group of the plot: how many lose so much, how many gain so much."""

    name: str
    lose: int
    gain: int
    y: int
    lose_x: int
    lose_width: int
    gain_width: int

    @property
    def text_y(self) -> int:
        """The base line of the bar's texts."""
        return self.y + 17

    @property
    def lose_text_x(self) -> int:
        """Where the number of those who lose ends."""
        return self.lose_x - 6

    @property
    def gain_text_x(self) -> int:
        """Where the number of those who gain begins."""
        return _GAIN_X + self.gain_width + 6


_SIDE: Final = (WIDTH - LABELS) // 2
_GAIN_X: Final = _SIDE + LABELS
_NUMBERS: Final = 64
"""Room for the numbers outside of the bars."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit that keeps uses out of plans, and how many learners it does that to."""

    words: str
    rule: str
    pointer: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A condition that refuses, and how many learners it refuses an outcome of."""

    words: str
    pointer: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A simulation for the page."""

    simulation: Simulation
    counts: Counts
    bars: tuple[Bar, ...]
    limits: tuple[Limit, ...]
    refusals: tuple[Refusal, ...]
    outdated: bool
    """Whether the draft was changed since."""

    @property
    def state(self) -> str:
        """The state of its job."""
        return states.of_job(self.simulation.job)

    @property
    def at_work(self) -> bool:
        """Whether it is still counting."""
        return self.simulation.job.at_work

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return self.simulation.job.state == JobState.SUCCEEDED

    @property
    def gained(self) -> Decimal:
        """The credits gained in all."""
        return credits_of(self.counts.gain_credits)

    @property
    def lost(self) -> Decimal:
        """The credits lost in all."""
        return credits_of(self.counts.lose_credits)

    @property
    def height(self) -> int:
        """The plot's height."""
        return ROW * len(self.bars) + 8

    @property
    def width(self) -> int:
        """The plot's width."""
        return WIDTH

    @property
    def gain_x(self) -> int:
        """Where the bars of those who gain begin."""
        return _GAIN_X

    @property
    def middle(self) -> int:
        """The middle of the groups' names."""
        return WIDTH // 2


def shown(rule: RuleVersion, found: Simulation) -> Shown:
    """Return a simulation as a page shows it."""
    counts = Counts.read(found.counts)
    parsed = rule.parsed()
    names = rulewords.names_for(parsed)
    return Shown(
        simulation=found,
        counts=counts,
        bars=tuple(_bars(counts)),
        limits=tuple(_limit(key, count) for key, count in counts.obstacles.most_common(10)),
        refusals=tuple(
            _refusal(key, count, rulewords.asked(parsed, key.partition(" ")[2], names))
            for key, count in counts.reasons.most_common(10)
        ),
        outdated=bytes(found.digest) != bytes(rule.digest),
    )


def _bars(counts: Counts) -> list[Bar]:
    groups = [
        (counts.bins[f"lose {number}"], counts.bins[f"gain {number}"])
        for number in range(len(BINS) + 1)
    ]
    most = max((max(pair) for pair in groups), default=0)
    bars = []
    for number, (lose, gain) in enumerate(groups):
        lose_width, gain_width = _length(lose, most), _length(gain, most)
        bars.append(
            Bar(
                name=group_name(number),
                lose=lose,
                gain=gain,
                y=ROW * number + 8,
                lose_x=_SIDE - lose_width,
                lose_width=lose_width,
                gain_width=gain_width,
            )
        )
    return bars


def _length(count: int, most: int) -> int:
    room = _SIDE - _NUMBERS
    return max(2, room * count // most) if count else 0


def group_name(number: int) -> str:
    """Name a group of amounts of credits by its ends."""
    if number == 0:
        return gettext("至多 %(high)s") % {"high": BINS[0]}
    if number == len(BINS):
        return gettext("超过 %(low)s") % {"low": BINS[-1]}
    return f"{BINS[number - 1]}–{BINS[number]}"


def _limit(key: str, count: int) -> Limit:
    code, holder, pointer = [*key.split(" "), "", ""][:3]
    words = rulewords.LIMITS.get(code, code)
    return Limit(words=str(words), rule=holder, pointer=pointer, count=count)


def _refusal(key: str, count: int, words: str) -> Refusal:
    return Refusal(words=words, pointer=key.partition(" ")[2], count=count)


def newest(rule: RuleVersion, found: Sequence[Any]) -> Shown | None:
    """Return the newest simulation, if there is one."""
    return shown(rule, found[0]) if found else None

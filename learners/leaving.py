"""What other parts of the bank hold of a person, and give up when the person is forgotten.

The layers above register themselves here, so that forgetting a learner is one
operation, whoever asks for it, and a new place that names people is one line
beside its own code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from learners.models import Learner

Holder = Callable[[Learner], object]

H = TypeVar("H", bound=Holder)

_holders: Final[dict[str, Holder]] = {}


def gives_up(name: str) -> Callable[[H], H]:
    """Register what a part of the bank does before a learner is forgotten.

    It is called while the learner can still be looked for, outside of any
    transaction, and perhaps twice.
    """

    def register(function: H) -> H:
        if _holders.setdefault(name, function) is not function:
            raise ValueError(f"two holders called {name}")
        return function

    return register


def give_up_all(learner: Learner) -> None:
    """Let every part of the bank give up what it holds of a learner. Raises what they raise."""
    for function in _holders.values():
        function(learner)

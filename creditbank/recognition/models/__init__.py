"""What recognition stores, one noun a file."""

from creditbank.recognition.models.appeals import Appeal, AppealMessage, AppealState
from creditbank.recognition.models.decisions import (
    Decision,
    DecisionLine,
    DecisionState,
    LineVerdict,
    Review,
    ReviewVerdict,
)
from creditbank.recognition.models.following import Follower
from creditbank.recognition.models.goals import Goal
from creditbank.recognition.models.preapprovals import PreApproval, PreApprovalState
from creditbank.recognition.models.requests import (
    OPEN_STATES,
    Request,
    RequestSource,
    RequestState,
)
from creditbank.recognition.models.reviewing import AttestedFact, IndustryExpert, Judgement
from creditbank.recognition.models.simulations import Simulation
from creditbank.recognition.models.versions import (
    ProgrammeVersion,
    RuleVersion,
    Version,
    VersionStatus,
)

__all__ = [
    "OPEN_STATES",
    "Appeal",
    "AppealMessage",
    "AppealState",
    "AttestedFact",
    "Decision",
    "DecisionLine",
    "DecisionState",
    "Follower",
    "Goal",
    "IndustryExpert",
    "Judgement",
    "LineVerdict",
    "PreApproval",
    "PreApprovalState",
    "ProgrammeVersion",
    "Request",
    "RequestSource",
    "RequestState",
    "Review",
    "ReviewVerdict",
    "RuleVersion",
    "Simulation",
    "Version",
    "VersionStatus",
]

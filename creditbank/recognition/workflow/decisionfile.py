"""A decision as a file that anyone can check offline: the package, and the proofs from the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from creditbank.ledger import queries as ledger
from creditbank.proofs import canonical
from creditbank.recognition import replay
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding.packages import Package
from creditbank.recognition.models import Decision, PreApproval, RuleVersion
from creditbank.recognition.workflow import decisions

PUBLISH_SECONDS = 30.0
SHOWN = ("core", "result", "reference")
"""Parts of an opening that a file shows; the holder part would name the account."""


def build(decision: Decision) -> bytes:
    """Return the file of a decision that was made: what `recognition.replay` reads.

    A decision that is entered comes with the proof of its entry, of each outcome
    that it uses and of each document's publication, under a published checkpoint;
    one that is not (a refusal, a decision in notice) without the first. Raises
    PersonForgotten, NotYetPublished.
    """
    data = decisions.package_bytes(decision)
    package = decisions.package_of(decision)
    file: dict[str, canonical.Json] = {"v": replay.VERSION, "package": canonical.decode(data)}
    indexes = {one.leaf_hash: one.index for one in package.evidence}
    wanted = [indexes[leaf] for leaf in package.used]
    if decision.entry_index is not None:
        ledger.wait_until_published(decision.entry_index + 1, timeout=PUBLISH_SECONDS)
        proof = ledger.proof(decision.entry_index, disclose=SHOWN)
        file["proof"] = proof.encode().decode()
    elif wanted:
        ledger.wait_until_published(max(wanted) + 1, timeout=PUBLISH_SECONDS)
    file["evidence"] = {
        forms.leaf(leaf): ledger.proof(indexes[leaf], disclose=SHOWN).encode().decode()
        for leaf in package.used
    }
    file["documents"] = {
        forms.leaf(digest): ledger.proof(index, disclose=SHOWN).encode().decode()
        for digest, index in _published(decision, package)
    }
    return canonical.encode(file)


def _published(decision: Decision, package: Package) -> Iterator[tuple[bytes, int]]:
    """Give the digest of each document in a package, and where its publication stands in the log."""
    programme = decision.request.programme
    if programme.entry_index is not None:
        yield bytes(programme.digest), programme.entry_index
    rows = {(row.code, row.version): row for row in _rules(package)}
    promised = {
        row.number: row for row in PreApproval.objects.filter(learner=decision.request.learner)
    }
    for document in package.rules:
        found = rows.get((document["code"], document["version"])) or promised.get(document["code"])
        if found is not None and found.entry_index is not None:
            yield bytes(found.digest), found.entry_index


def _rules(package: Package) -> QuerySet[RuleVersion]:
    codes = {document["code"] for document in package.rules}
    return RuleVersion.objects.filter(code__in=codes, published_at__isnull=False)


def name(decision: Decision) -> str:
    """Return what the file is called."""
    return f"{decision.number}.json"

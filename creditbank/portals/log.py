"""The register's own pages: what it holds, one entry in plain words, checking a proof."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, register_converter
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from certificates import trustlist
from creditbank.ledger import guard, queries
from creditbank.ledger.logkeys import LogKeys
from creditbank.ledger.queries import EntryView, ManifestView
from creditbank.portals import logfiles, logwords, proofcheck
from creditbank.portals.proofcheck import Checked
from creditbank.portals.publicfiles import TEXT, PublicFile
from creditbank.portals.ratelimit import limited
from creditbank.proofs import merkle, notes, tiles

RECENT: Final = 20
LIMIT: Final = 60


def _read_index(text: str) -> int | None:
    plain = text.strip().replace(",", "").replace(" ", "")
    if not plain.isascii() or not plain.isdigit() or len(plain) > 16:
        return None
    return int(plain)


# The form changes nothing and knows nobody: a token against forgery would only
# give every visitor a session and a cookie.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@limited(scope="log", limit=LIMIT, methods=frozenset({"POST"}))
def index(request: HttpRequest) -> HttpResponse:
    """Show the log's state and its newest leaves; check what a visitor brings."""
    state = queries.log_state()
    typed = request.GET.get("index")
    problem = ""
    if typed is not None:
        wanted = _read_index(typed)
        if wanted is not None and wanted < state.published_size:
            return redirect("log_entry", index=wanted)
        problem = gettext("没有这个序号。请填 0 到 %(last)s 之间的数。") % {
            "last": max(state.published_size - 1, 0)
        }
    checked: Checked | None = None
    if request.method == "POST" and state.published_size:
        checked = _check(request)
    context = {
        "state": state,
        "read_only": bool(guard.known()),
        "checkpoint": state.checkpoint.decode() if state.checkpoint else "",
        "root": _root(state.checkpoint),
        "vkey": logfiles.log_vkey() if state.published_size else "",
        "recent": logwords.recent(state.published_size, RECENT),
        "typed": typed or "",
        "problem": problem,
        "checked": checked,
        "proof_text": request.POST.get("proof", "") if checked and not checked.ok else "",
        "leaf_text": request.POST.get("leaf", ""),
        "leaf_index": request.POST.get("leaf_index", ""),
    }
    return render(request, "public/log.html", context)


def _log_keys() -> LogKeys:
    """Return the keys of the log and its cosigners, as the trust list names them."""
    material = trustlist.signer_material()
    return LogKeys.parse(material.log_vkey, material.cosigner_vkeys)


def _root(note: bytes) -> str:
    if not note:
        return ""
    return proofcheck.b64(notes.Checkpoint.parse(notes.SignedNote.parse(note).text).root)


def _check(request: HttpRequest) -> Checked:
    text = request.POST.get("proof", "")
    if text.strip():
        return proofcheck.check(text, keys=_log_keys())
    leaf = proofcheck.read_hash(request.POST.get("leaf", ""))
    number = _read_index(request.POST.get("leaf_index", ""))
    if leaf is None:
        return Checked(
            kind="leaf",
            problem=_("请粘贴登记证明，或填写叶哈希（64 位十六进制，或 44 位 base64）和序号。"),
        )
    if number is None:
        return Checked(kind="leaf", problem=_("请填写序号，只用数字。"))
    return proofcheck.check_leaf(leaf, number)


@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one leaf of the published log, in words and with its inclusion proof."""
    state = queries.log_state()
    if index >= state.published_size:
        raise queries.UnknownEntry(index=index)
    view: EntryView | None = None
    manifest: ManifestView
    try:
        view = queries.entry(index)
        manifest = queries.manifest(view.manifest_index)
        leaf = view.leaf
    except queries.UnknownEntry:
        manifest = queries.manifest(index)
        leaf = manifest.note
    newest = notes.Checkpoint.parse(notes.SignedNote.parse(state.checkpoint).text)
    leaf_hash = merkle.leaf_hash(leaf)
    proof = tiles.prove_inclusion(queries.StoredHashes(), index, newest.size)
    # What is shown was recomputed by the server too: a page that showed a proof
    # without having checked it would be a picture of one.
    merkle.verify_inclusion(
        leaf=leaf_hash, index=index, size=newest.size, path=proof, root=newest.root
    )
    context = {
        "index": index,
        "state": state,
        "view": view,
        "words": logwords.of_entry(view) if view else None,
        "manifest": manifest,
        "manifest_words": "" if view else logwords.of_manifest(manifest),
        "signer": logwords.signer_of(manifest.stream),
        "recorded_at": queries.recorded_times([index]).get(index),
        "leaf": leaf.decode(),
        "leaf_hash": proofcheck.b64(leaf_hash),
        "leaf_hex": leaf_hash.hex(),
        "root": proofcheck.b64(newest.root),
        "size": newest.size,
        "hashings": proofcheck.hashings(leaf_hash, index, newest.size, proof),
        "vkey": logfiles.log_vkey(),
        "previous": index - 1 if index else None,
        "next": index + 1 if index + 1 < state.published_size else None,
        "last_entry": manifest.index + manifest.count,
    }
    return render(request, "public/log_entry.html", context)


@require_safe
def proof_file(request: HttpRequest, index: int) -> HttpResponse:
    """Give an entry's ledger proof as a file; a learner's entry without its opening."""
    view = queries.entry(index)
    bundle = queries.proof(index) if view.kind.public else queries.proof(index, disclose=())
    response = PublicFile(bundle.encode(), content_type=TEXT, max_age=60)
    response["Content-Disposition"] = f'attachment; filename="log-{index}.tlog-proof"'
    return response


class LogIndex:
    """A log index in an address: decimal, in its one spelling, and a bigint's size at most."""

    regex = "0|[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        """Read the index."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the index."""
        return str(value)


register_converter(LogIndex, "logindex")

urlpatterns = [
    path("log", index, name="log"),
    path("log/checkpoint", logfiles.checkpoint, name="log_checkpoint"),
    path("log/vkey", logfiles.vkey, name="log_vkey"),
    path("log/tile/<path:path>", logfiles.tile, name="log_tile"),
    path("log/<logindex:index>", entry, name="log_entry"),
    path("log/<logindex:index>/proof", proof_file, name="log_proof"),
]

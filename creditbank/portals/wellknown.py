"""What the bank publishes for programs beside its log: DID document, trust list, status, PDF root."""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpRequest
from django.urls import path
from django.views.decorators.http import require_safe

from certificates import pki, trustlist
from creditbank.ledger import queries
from creditbank.portals.publicfiles import JSON, TEXT, PublicFile, missing
from creditbank.portals.ratelimit import limited
from creditbank.signer.client import SignerError, SignerUnavailable

DID_JSON: Final = "application/did+json"
DID_AGE: Final = 3600
NEWEST_AGE: Final = 30
CRL_AGE: Final = 3600
CERTIFICATE: Final = "application/pkix-cert"
CRL: Final = "application/pkix-crl"
LIMIT: Final = 120


def _unavailable() -> PublicFile:
    answer = PublicFile(
        b"the signer is away; try again in a minute\n", content_type=TEXT, max_age=2, status=503
    )
    answer["Retry-After"] = "60"
    return answer


@require_safe
def did(request: HttpRequest) -> PublicFile:
    """Serve the bank's DID document (did:web)."""
    try:
        document = trustlist.did_document()
    except SignerUnavailable:
        return _unavailable()
    data = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return PublicFile(data.encode(), content_type=DID_JSON, max_age=DID_AGE)


@require_safe
def trust(request: HttpRequest) -> PublicFile:
    """Serve the signed trust list of the newest checkpoint."""
    try:
        data = trustlist.build_trust_list()
    except SignerUnavailable:
        return _unavailable()
    except queries.CheckpointMissing:
        return missing("no checkpoint has been published yet")
    return PublicFile(data, content_type=JSON, max_age=NEWEST_AGE).compressed(request)


@require_safe
def status_latest(request: HttpRequest) -> PublicFile:
    """Serve the signed status snapshot of the newest checkpoint."""
    try:
        data = trustlist.build_status()
    except SignerUnavailable:
        return _unavailable()
    except queries.CheckpointMissing:
        return missing("no checkpoint has been published yet")
    return PublicFile(data, content_type=JSON, max_age=NEWEST_AGE).compressed(request)


@require_safe
@limited(scope="status", limit=LIMIT)
def status(request: HttpRequest, size: int) -> PublicFile:
    """Serve the signed status snapshot of a published checkpoint: the same bytes for ever."""
    try:
        data = trustlist.build_status(size)
    except SignerUnavailable:
        return _unavailable()
    except queries.CheckpointMissing:
        return missing("no checkpoint of this size was published")
    return PublicFile(data, content_type=JSON, immutable=True).compressed(request)


@require_safe
@limited(scope="pki", limit=LIMIT)
def root_certificate(request: HttpRequest) -> PublicFile:
    """Serve the root behind the signatures of the bank's PDFs (RFC 2585): the same for ever."""
    try:
        data = pki.root_certificate()
    except SignerUnavailable:
        return _unavailable()
    return PublicFile(data, content_type=CERTIFICATE, immutable=True)


@require_safe
@limited(scope="pki", limit=LIMIT)
def revocation_list(request: HttpRequest) -> PublicFile:
    """Serve what the root has revoked (RFC 2585): a new list every day, signed by the root."""
    try:
        data = pki.revocation_list()
    except SignerError:
        return _unavailable()
    return PublicFile(data, content_type=CRL, max_age=CRL_AGE)


urlpatterns = [
    path(".well-known/did.json", did, name="did"),
    path(".well-known/trust.json", trust, name="trust"),
    path("pki/root.cer", root_certificate, name="pki_root"),
    path("pki/root.crl", revocation_list, name="pki_crl"),
    path("status/latest", status_latest, name="status_latest"),
    path("status/<int:size>", status, name="status"),
]

"""Files for one reader: saved, never shown in place."""

from __future__ import annotations

from django.http import HttpResponse


def download(data: bytes, name: str, kind: str) -> HttpResponse:
    """Hand a file out. `name` is ours and plain ASCII, `kind` its media type."""
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox"
    return response

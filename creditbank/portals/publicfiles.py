"""Files for programs: the same bytes for everyone, from any origin, without cookies."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

TEXT: Final = "text/plain; charset=utf-8"
OCTETS: Final = "application/octet-stream"
JSON: Final = "application/json"

YEAR: Final = 31_536_000

_STRIPPED: Final = ("Vary", "Content-Language", "Set-Cookie")

GetResponse = Callable[[HttpRequest], HttpResponse]


class PublicFile(HttpResponse):
    """A file that any program may fetch.

    `immutable` says that the bytes at this address never change; otherwise
    caches keep them for `max_age` seconds.
    """

    def __init__(
        self,
        content: bytes,
        *,
        content_type: str,
        max_age: int = YEAR,
        immutable: bool = False,
        status: int = 200,
    ) -> None:
        super().__init__(content, content_type=content_type, status=status)
        self.varies = False
        self["Cache-Control"] = f"public, max-age={max_age}" + (", immutable" if immutable else "")
        self["Access-Control-Allow-Origin"] = "*"
        self["Cross-Origin-Resource-Policy"] = "cross-origin"

    def compressed(self, request: HttpRequest) -> PublicFile:
        """Return the same file, in gzip for clients that take it."""
        accepted = [
            token.partition(";")[0].strip()
            for token in request.headers.get("Accept-Encoding", "").split(",")
            if not token.replace(" ", "").endswith(";q=0")
        ]
        self.varies = True
        if "gzip" in accepted:
            # No time in the header: the same bytes give the same bytes.
            self.content = gzip.compress(self.content, 6, mtime=0)
            self["Content-Encoding"] = "gzip"
        return self


def missing(text: str) -> PublicFile:
    """Answer that there is no such file (yet), in words a program's author can read."""
    return PublicFile(f"{text}\n".encode(), content_type=TEXT, max_age=2, status=404)


class PublicFileMiddleware:
    """Take off a public file what the middlewares within put on for pages.

    Stands outside the session's middleware: a cookie or a `Vary: Cookie` on an
    immutable tile would make every shared cache pass it by, or hand one
    reader's session to the next.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; strip the answer if it is a public file."""
        response = self._get_response(request)
        if isinstance(response, PublicFile):
            response.cookies.clear()
            for name in _STRIPPED:
                if name in response:
                    del response[name]
            if response.varies:
                response["Vary"] = "Accept-Encoding"
        return response

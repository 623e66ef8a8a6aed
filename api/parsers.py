"""What a request may hold, refused before anything reads it.

JSON is read by `creditbank.proofs.strictjson`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar, Final

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from creditbank.ledger import submissions
from creditbank.proofs.strictjson import JsonRefused, loads

JSON_BYTES_MAX: Final = 4 << 20
FILE_BYTES_MAX: Final = 10 << 20
SUBMISSION: Final = "application/vnd.creditbank.submission"
DOCUMENT_TYPES: Final = (
    "application/pdf",
    "application/vc",
    "application/ld+json",
    "application/octet-stream",
)


class BodyTooLarge(APIException):
    """The request's body is larger than this address takes."""

    status_code = 413
    default_code = "body-too-large"
    default_detail = "body too large"

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


def read_body(stream: IO[Any], limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Raises BodyTooLarge."""
    data: bytes = stream.read(limit + 1)
    if len(data) > limit:
        raise BodyTooLarge(limit)
    return data


class StrictJSONParser(BaseParser):
    """JSON in one reading only. A refusal is a 400 with the code of what was wrong."""

    media_type = "application/json"
    limit: ClassVar[int] = JSON_BYTES_MAX

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read the body as strict JSON."""
        return self.value(read_body(stream, self.limit))

    def value(self, data: bytes) -> Any:
        """Read bytes as strict JSON. Raises ParseError with the code."""
        try:
            return loads(data)
        except JsonRefused as error:
            raise ParseError(error.code, code=error.code) from error


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file handed in to be verified: the bytes, and what they say when they are JSON."""

    data: bytes = field(repr=False)
    is_json: bool = False
    value: Any = field(default=None, repr=False)


class JSONDocumentParser(StrictJSONParser):
    """JSON that may be a transcript: its bytes are kept beside its value."""

    limit = FILE_BYTES_MAX

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read the body as strict JSON and keep it."""
        data = read_body(stream, self.limit)
        return Document(data=data, is_json=True, value=self.value(data))


class _RawParser(BaseParser):
    limit: ClassVar[int] = FILE_BYTES_MAX

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Keep the body as it is."""
        return Document(data=read_body(stream, self.limit))


class PdfParser(_RawParser):
    """A PDF."""

    media_type = "application/pdf"


class CredentialParser(_RawParser):
    """A credential by its own media type (VC data model 2.0, appendix C)."""

    media_type = "application/vc"


class LinkedDataParser(_RawParser):
    """A credential as linked data."""

    media_type = "application/ld+json"


class OctetsParser(_RawParser):
    """A file of either kind."""

    media_type = "application/octet-stream"


class SubmissionParser(BaseParser):
    """A submission's signed bytes."""

    media_type = SUBMISSION

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Keep the bytes as they are: they are what was signed."""
        return read_body(stream, submissions.BYTES_MAX)

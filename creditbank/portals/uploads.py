"""A file handed in to be looked at and dropped: kept in memory, never on disk, never too large."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest


class CappedMemoryHandler(FileUploadHandler):
    """Hold one upload in memory up to a cap; beyond it keep nothing and say so.

    Django's own handlers read a file whole, and put a larger one on disk, before
    any view can refuse it.
    """

    def __init__(self, request: HttpRequest, *, cap: int) -> None:
        super().__init__(request)
        self._cap = cap
        self._held = BytesIO()
        self.too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._held = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a piece, or stop the upload when the cap is passed."""
        if start + len(raw_data) > self._cap:
            self.too_large = True
            self._held = BytesIO()
            raise StopUpload(connection_reset=False)
        self._held.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """Hand the file over."""
        self._held.seek(0)
        return InMemoryUploadedFile(
            self._held,
            self.field_name,
            self.file_name or "file",
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )


def keep_in_memory(request: HttpRequest, *, cap: int) -> CappedMemoryHandler:
    """Let a request's upload stay in memory, up to `cap` bytes. Call before reading POST."""
    handler = CappedMemoryHandler(request, cap=cap)
    request.upload_handlers = [handler]
    return handler

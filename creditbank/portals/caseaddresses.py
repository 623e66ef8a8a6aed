"""How numbers of requests, decisions, appeals and pre-approvals are written in addresses."""

from __future__ import annotations

from django.urls import register_converter

NUMBER: str = "[RDAP]-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}"


class CaseNumber:
    """A number as printed: a letter, the year, eight characters."""

    regex = NUMBER

    def to_python(self, value: str) -> str:
        """Read the number."""
        return value

    def to_url(self, value: str) -> str:
        """Write the number."""
        return value


register_converter(CaseNumber, "casenumber")

"""The certificates app."""

from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    """Proof in the holder's hand: transcripts, their verification, the trust list."""

    name = "certificates"
    label = "certificates"
    verbose_name = "证明"

    def ready(self) -> None:
        """Register the outbox's handlers."""
        from certificates import tasks

        assert tasks.ISSUE

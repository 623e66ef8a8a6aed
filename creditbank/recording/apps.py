"""The recording app."""

from django.apps import AppConfig


class RecordingConfig(AppConfig):
    """Drafts, files and approvals: how outcomes come into the bank through its pages."""

    name = "creditbank.recording"
    label = "recording"
    verbose_name = "记录学习成果"

    def ready(self) -> None:
        """Register the outbox's handlers, and what is given up of a forgotten person."""
        from creditbank.recording import retention, tasks

        assert tasks.CHECK_UPLOAD
        assert retention.REPORTS_KEPT

"""The jobs app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work and what must happen after a commit."""

    name = "creditbank.jobs"
    label = "jobs"
    verbose_name = "任务"

    def ready(self) -> None:
        """Load the Celery app, so that tasks and senders share its settings."""
        from creditbank import celery

        assert celery.app is not None

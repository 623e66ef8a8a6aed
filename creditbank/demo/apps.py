"""The demo app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """An invented cast that tests, demo and docs share."""

    name = "creditbank.demo"
    label = "demo"
    verbose_name = "演示"

    def ready(self) -> None:
        """Register the check that keeps the demo on one machine."""
        from creditbank.demo import checks  # noqa: F401

"""The API app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The same operations for programs."""

    name = "api"
    label = "api"
    verbose_name = "接口"

    def ready(self) -> None:
        """Register what is given up of a forgotten person."""
        from api import acts, keys

        assert acts.NUMBER_MAX
        assert keys.LIFETIME_MAX

"""The security log's app."""

from django.apps import AppConfig


class SecurityLogConfig(AppConfig):
    """Security events, in a chain."""

    name = "creditbank.securitylog"
    label = "securitylog"
    verbose_name = "安全日志"

    def ready(self) -> None:
        """Register the checks of the surroundings."""
        from creditbank.securitylog import checks

        assert checks.surroundings

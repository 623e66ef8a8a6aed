"""The users app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Users, their sign-in and their second factor."""

    name = "creditbank.users"
    label = "users"
    verbose_name = "用户"

    def ready(self) -> None:
        """Tell the security log of sign-ins."""
        from creditbank.users import signins

        signins.connect()

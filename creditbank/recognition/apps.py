"""The recognition app."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    """Rules that say what an outcome is worth elsewhere, programmes, and decisions under them."""

    name = "creditbank.recognition"
    label = "recognition"
    verbose_name = "学分认定"

    def ready(self) -> None:
        """Register handlers, what is given up of a forgotten person, and what must not expire."""
        from creditbank.ledger import reservations
        from creditbank.recognition import tasks
        from creditbank.recognition.workflow import holdings, leaving

        reservations.register(holdings.reserved)
        assert tasks.FINISH
        assert leaving.HOLDER

"""The learners app."""

from django.apps import AppConfig


class LearnersConfig(AppConfig):
    """People and their accounts."""

    name = "learners"
    label = "learners"
    verbose_name = "学习者"

    def ready(self) -> None:
        """Tell the ledger which accounts belong together."""
        from creditbank.ledger import linked
        from learners.links import Links

        linked.register(Links())

"""The institutions app."""

from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    """Institutions, their people, and what they may record."""

    name = "creditbank.institutions"
    label = "institutions"
    verbose_name = "办学机构"

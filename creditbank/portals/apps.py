"""The portals app."""

from django.apps import AppConfig


class PortalsConfig(AppConfig):
    """The web for people: learners, institutions, employers, the authority, everyone."""

    name = "creditbank.portals"
    label = "portals"
    verbose_name = "网站"

"""A security event as stored: a link of the chain."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Length
from django.db.models.lookups import Exact, LessThanOrEqual
from django.utils.translation import gettext_lazy as _

MAC_BYTES = 32
FACTS_MAX = 2000


def _octets(name: str) -> models.Func:
    return models.Func(models.F(name), function="octet_length", output_field=models.IntegerField())


class SecurityEvent(models.Model):
    """One event. `mac` covers every other column and the `mac` of the event before it.

    No personal data: `actor` is a user's id, whom or what it is about stands in
    `facts` as an id or a keyed digest. `facts` is canonical JSON.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    actor = models.BigIntegerField(null=True)
    facts = models.TextField()
    previous = models.BinaryField()
    mac = models.BinaryField()

    class Meta:
        verbose_name = _("安全事件")
        ordering = ["seq"]
        constraints = [
            models.CheckConstraint(condition=Q(seq__gte=1), name="security_event_seq_positive"),
            models.CheckConstraint(
                condition=Q(kind__regex=r"^[a-z][a-z-]{2,39}$"), name="security_event_kind_form"
            ),
            models.CheckConstraint(
                condition=Exact(_octets("previous"), Value(MAC_BYTES)),
                name="security_event_previous_length",
            ),
            models.CheckConstraint(
                condition=Exact(_octets("mac"), Value(MAC_BYTES)), name="security_event_mac_length"
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("facts"), Value(FACTS_MAX)),
                name="security_event_facts_short",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: events are written by `operations.record` alone."""
        raise TypeError("a security event is written by creditbank.securitylog.operations.record")

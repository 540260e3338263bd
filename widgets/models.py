"""The editors that an organisation has set up for its pages."""

from django.db import models

from accounts.models import WebSocketKey

DEFAULT_COMPILER = "python-3.14"
DEFAULT_HEIGHT = 400


class Widget(models.Model):
    """How one editor looks and what stands in it; its key says whose it is and which pages may use it.

    The page that carries the editor has all of it in its HTML. Kept here is what the dashboard writes that HTML from.
    """

    class Theme(models.TextChoices):
        DARK = "dark"
        LIGHT = "light"

    key = models.OneToOneField(WebSocketKey, on_delete=models.CASCADE, related_name="widget")
    compiler = models.CharField(max_length=50, default=DEFAULT_COMPILER)
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.DARK)
    height = models.PositiveSmallIntegerField(default=DEFAULT_HEIGHT, help_text="In pixels.")
    program = models.TextField(blank=True, help_text="What stands in it at first; empty: the language’s sample.")

    class Meta:
        ordering = ["-key__created_at", "-pk"]

    def __str__(self) -> str:
        return self.key.name

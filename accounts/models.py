"""Who may use the service: people, the organisations they belong to, and the organisations' keys.

Everything a tenant owns hangs on `Organisation`. Look things up through its related managers
(`organisation.api_keys.get(pk=...)`), so that another organisation's id is simply not found.
"""

from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.keys import digest_of, make_account_secret


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address, kept in lower case: mail providers tell no two cases apart, nor do we."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return super().normalize_email(email).strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by an e-mail address. What a person may see depends on their memberships."""

    email = models.EmailField("e-mail address", max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField("staff", default=False, help_text="May sign in to the administration.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting the user.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    welcomed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalize_email(self.email)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.partition("@")[0]


class Organisation(models.Model):
    """A tenant: what owns keys, runs and a plan.

    `secret` is kept readable, because it is shown on the account page and signs tokens; it is found by
    `secret_digest`, so that no query compares the secret itself.
    """

    name = models.CharField(max_length=150)
    personal_of = models.OneToOneField(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="personal_organisation"
    )
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="organisations"
    )
    secret = models.CharField(max_length=64, default=make_account_secret, editable=False)
    secret_digest = models.CharField(max_length=64, unique=True, editable=False)
    secret_rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    keep_sources = models.BooleanField("keep programs and inputs in the history", default=True)
    keep_outputs = models.BooleanField("keep outputs in the history", default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.secret_digest = digest_of(self.secret)
        super().save(*args, **kwargs)

    @property
    def personal(self) -> bool:
        return self.personal_of_id is not None

    def rotate_secret(self) -> str:
        """Replaces the secret and returns the new one. Tokens and usage addresses of the old one stop working."""
        self.secret = make_account_secret()
        self.secret_rotated_at = timezone.now()
        self.save(update_fields=["secret", "secret_digest", "secret_rotated_at"])
        return self.secret


class Membership(models.Model):
    """A person's place in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"
        MEMBER = "member", "Member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="accounts_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation} ({self.role})"

    def at_least(self, role: str) -> bool:
        """Whether this member may do what `role` may do: an owner all that an admin may, an admin all of a member."""
        return _RANK[self.role] >= _RANK[role]


_RANK: dict[str, int] = {Membership.Role.MEMBER: 0, Membership.Role.ADMIN: 1, Membership.Role.OWNER: 2}


_AnyKey = TypeVar("_AnyKey", bound="Key", covariant=True)


class KeyQuerySet(models.QuerySet[_AnyKey]):
    def live(self) -> Self:
        """Keys that open something now: neither revoked nor expired."""
        now = timezone.now()
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now), revoked_at=None)


class Key(models.Model):
    """What keys of both kinds have in common.

    `networks` is a list of IP networks in CIDR notation, `origins` a list of web origins or domains (the forms are
    told in accounts.restrictions). An empty list restricts nothing.
    """

    name = models.CharField(max_length=100)
    networks = models.JSONField(default=list, blank=True)
    origins = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeyQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        """Enough of the key to recognise it, too little to use it."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.has_expired(timezone.now()):
            return "expired"
        return "live"

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class ApiKey(Key):
    """Opens REST and MCP. Only its digest is kept: the key itself is shown once, when it is made."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    prefix = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    redirect_url = models.CharField("redirect URL", max_length=2000, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-pk"]

    @property
    def masked(self) -> str:
        return f"rk_{self.prefix}_…"


class WebSocketKey(Key):
    """Opens Socket.IO, WebSocket and the widget. Public by nature: it stands in the HTML of its owner's pages."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="websocket_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    value = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = "WebSocket key"
        ordering = ["-created_at", "-pk"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = digest_of(self.value)
        super().save(*args, **kwargs)

    @property
    def masked(self) -> str:
        return f"{self.value[:8]}…"

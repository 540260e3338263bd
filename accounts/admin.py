"""The administration, for staff: people, organisations and keys. Nothing here shows a secret or a digest in full.

Signing in goes through the ordinary sign-in page, so that a second factor and the limits on attempts hold here, too.
"""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.key_lifecycle import revoke_api_key, revoke_websocket_key
from accounts.models import ApiKey, Membership, Organisation, User, UserManager, WebSocketKey
from accounts.organisations import ensure_personal_organisation, rotate_account_secret

admin.site.site_header = admin.site.site_title = "Runcode administration"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        return UserManager.normalize_email(self.cleaned_data["email"])


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "organisation")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    add_form = UserCreationForm
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("date_joined", "last_login", "welcomed_at")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login", "welcomed_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            ensure_personal_organisation(user=obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # What a person made stays their organisation's; clear “active” instead.
        return False


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "personal_of", "created_at")
    list_select_related = ("personal_of",)
    search_fields = ("name", "memberships__user__email")
    fields = ("name", "personal_of", "masked_secret", "secret_rotated_at", "created_at")
    readonly_fields = ("personal_of", "masked_secret", "secret_rotated_at", "created_at")
    inlines = (MembershipInline,)
    actions = ("rotate_secrets",)

    @admin.display(description="account secret")
    def masked_secret(self, organisation: Organisation) -> str:
        return f"{organisation.secret[:6]}…"

    @admin.action(description="Replace the account secret", permissions=["change"])
    def rotate_secrets(self, request: HttpRequest, queryset: QuerySet[Organisation]) -> None:
        for organisation in queryset:
            rotate_account_secret(organisation=organisation)
        self.message_user(request, "Replaced. The owners see the new secret on their account page.", messages.SUCCESS)

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        # Its keys would go without any process being told, and its bills with it.
        return False


_KEY_FIELDS = (
    "masked_key",
    "name",
    "organisation",
    "created_by",
    "key_state",
    "networks",
    "origins",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "created_at",
)
_KEY_SEARCH = ("name", "organisation__name", "organisation__memberships__user__email")


class KeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys are made by their owners; staff look at them and revoke them."""

    list_display = ("masked_key", "name", "organisation", "key_state", "last_used_at", "created_at")
    list_select_related = ("organisation",)
    actions = ("revoke",)

    @admin.display(description="key")
    def masked_key(self, key: ApiKey | WebSocketKey) -> str:
        return key.masked

    @admin.display(description="state")
    def key_state(self, key: ApiKey | WebSocketKey) -> str:
        return key.state

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for key in queryset:
            if isinstance(key, ApiKey):
                revoke_api_key(key=key)
            else:
                revoke_websocket_key(key=key)
        self.message_user(request, "Revoked.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        # `has_change_permission` is off, so that nothing can be edited; revoking takes the same right.
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(KeyAdmin):
    search_fields = (*_KEY_SEARCH, "prefix")
    fields = (*_KEY_FIELDS, "redirect_url")


@admin.register(WebSocketKey)
class WebSocketKeyAdmin(KeyAdmin):
    search_fields = _KEY_SEARCH
    fields = _KEY_FIELDS

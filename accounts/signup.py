"""The sign-up form: one address makes one account, and nobody learns from it whether an address has one."""

from allauth.account.forms import SignupForm as AllauthSignupForm
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import User


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    account_already_exists: bool

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        if self.account_already_exists:
            # The other branch hashes the password; without this, the time would tell that the account exists.
            User().set_password(self.cleaned_data.get("password1"))
        else:
            try:
                with transaction.atomic():
                    return self._save(request)
            except IntegrityError:
                # Somebody signed up with the same address since the form was checked.
                self.account_already_exists = True
        return self._save(request)

    def _save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved

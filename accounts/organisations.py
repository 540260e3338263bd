"""Making organisations, finding one by its account secret, replacing that secret."""

from django.db import transaction

from accounts import broadcast
from accounts.keys import digest_of, same_digest
from accounts.models import Membership, Organisation, User

SECRET_TOPIC = "account-secret"  # noqa: S105
"""The broadcast's topic when a secret was replaced; its key is the organisation's id."""


def ensure_personal_organisation(*, user: User) -> Organisation:
    """The user's own organisation, made when there is none; two calls at once make one."""
    with transaction.atomic():
        # The row lock (on SQLite, the transaction) makes the second caller wait and find what the first one made.
        User.objects.select_for_update().get(pk=user.pk)
        if organisation := Organisation.objects.filter(personal_of=user).first():
            return organisation
        organisation = Organisation.objects.create(name=user.get_short_name(), personal_of=user)
        Membership.objects.create(user=user, organisation=organisation, role=Membership.Role.OWNER)
        return organisation


async def find_by_secret(*, secret: str) -> Organisation | None:
    """The organisation of an account secret, or None. Takes as long for a secret that is almost right as for any other:
    the database is only ever asked for a digest, which is compared in constant time."""
    digest = digest_of(secret)
    organisation = await Organisation.objects.filter(secret_digest=digest).afirst()
    if organisation is None or not same_digest(organisation.secret_digest, digest):
        return None
    return organisation


def rotate_account_secret(*, organisation: Organisation) -> str:
    """Replaces the account secret and returns the new one; every process forgets the old one."""
    secret = organisation.rotate_secret()
    transaction.on_commit(lambda: broadcast.publish_sync(SECRET_TOPIC, str(organisation.pk)))
    return secret

"""Writes runs that have ended as rows, many at once.

Django's `bulk_create` would take four times the processor's time, on processors that runs want: it makes an object of
each row and prepares each of its forty values anew. Here the statement is made once, and only those values are
prepared that a database takes in a form of its own.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models

from execution.models import Run

Row = Mapping[str, Any]
"""Values by column name. What is left out has its field's default."""


def insert(rows: Sequence[Row]) -> None:
    """Inserts them, in the caller's transaction; a row whose uuid is there already is passed over."""
    if not rows:
        return
    sql, special, defaults = _statement(connection.vendor)
    values = []
    for row in rows:
        full = {**defaults, **row}
        for field in special:
            full[field.attname] = field.get_db_prep_value(full[field.attname], connection)
        values.append(tuple(full.values()))
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


@lru_cache(maxsize=2)
def _statement(_vendor: str) -> tuple[str, list["models.Field[Any, Any]"], dict[str, Any]]:
    """The statement, the fields whose values are to be prepared, and the defaults of all columns in their order."""
    fields: list[models.Field[Any, Any]] = [field for field in Run._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(Run._meta.db_table)} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608
    special: list[models.Field[Any, Any]] = [
        field for field in fields if isinstance(field, models.UUIDField | models.DateTimeField)
    ]
    return sql, special, {field.attname: field.get_default() for field in fields}

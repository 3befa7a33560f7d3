"""Edits of the reference tables: whole tables, taken over together or not at all, after the check that a run would make."""

import json
from collections.abc import Callable

from retail_stream import configuration as settings
from retail_stream import restore

READ = {table: f"select to_json(object_construct(*)) from reference_data.{table}" for table in settings.COLUMNS}


class ChangedMeanwhile(Exception):
    """Somebody else changed a table that is being edited; nothing was saved."""


def save(
    execute: Callable, read_configuration: Callable, edited: dict, seen: dict, is_trial: bool
) -> list[settings.Fault]:
    """Give tables the rows of `edited` unless a run would refuse them; the faults, and none means saved.

    `seen` holds the rows that the edits began from, as OBJECT_CONSTRUCT(*) gives them. A trial saves nothing.

    Raises:
        ChangedMeanwhile: when a table is not as it was seen.
    """
    if faults := _faults(edited):
        return faults
    execute("begin transaction")
    is_saved = False
    try:
        for table in edited:
            today = [json.loads(text) for (text,) in execute(READ[table])]
            if not is_trial and _unordered(today) != _unordered(seen[table]):
                raise ChangedMeanwhile(
                    f"{table} was changed meanwhile; nothing was saved. Load it again, and repeat the edit"
                )
        for table, rows in edited.items():
            execute(restore.EMPTY[table])
            execute(restore.FILL[table], json.dumps(rows))
        try:
            read_configuration()
            is_saved = not is_trial
        except settings.ConfigurationRefused as refusal:
            faults = refusal.faults
        execute("commit" if is_saved else "rollback")
    except Exception:
        execute("rollback")
        raise
    return faults


def _faults(edited: dict) -> list[settings.Fault]:
    """What is wrong before any table could hold it: unknown tables, empty cells."""
    found = [
        settings.Fault(table, "", "", "", f"choose one of {', '.join(settings.COLUMNS)}")
        for table in edited.keys() - settings.COLUMNS.keys()
    ]
    for table in edited.keys() & settings.COLUMNS.keys():
        key = settings.KEYS[table]
        needed = [*settings.COLUMNS[table], *(("parameter_type",) if table == "generation_parameters" else ())]
        for row in edited[table]:
            found += [
                settings.Fault(table, str(row.get(key) or "(new)"), name, "", "must not be empty")
                for name in needed
                if row.get(name) is None or row.get(name) == ""
            ]
    return found


def _unordered(rows: list[dict]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)

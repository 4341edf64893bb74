"""The import itself: read, check everything, then write all of it or nothing."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, versions
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.imports import (
    classes,
    inspectors,
    institutions,
    items,
    process,
    refusals,
    rows,
    sheets,
    world,
)
from backend.services.imports.directory import Directory, settle
from backend.services.imports.rows import Source
from backend.services.imports.world import Values, World
from backend.services.records.directories import Entry
from backend.services.records.imports import CellError, ImportRun
from inspection_plans.library import Library

DIRECTORIES: Mapping[str, Directory[Any]] = {
    "institutions": institutions.INSTITUTIONS,
    "catalogue": institutions.CATALOGUE,
    "inspectors": inspectors.INSPECTORS,
    "relations": inspectors.RELATIONS_DIRECTORY,
    "classes": classes.CLASSES,
    "sessions": classes.SESSIONS,
    "rosters": classes.ROSTERS,
    "items": items.ITEMS,
}
ERRORS_KEPT = 1_000
ERRORS_TOLD = 100

# Two imports of one office would both find a row missing; the second waits for the first.
LOCK = "select pg_advisory_xact_lock(hashtext('import'), $1)"
INSERT = """
insert into import_run (id, region, kind, file_name, sha256, dry_run, state, row_count,
  created_count, updated_count, unchanged_count, errors, by_account, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
ALL = "select * from import_run where ($1::uuid is null or id < $1) order by id desc limit $2"
ONE = "select * from import_run where id = $1"


@dataclass
class Checked:
    """What a file would do: records to create and update, how many stay, what is wrong."""

    created: list[Entry] = field(default_factory=list)
    updated: list[Entry] = field(default_factory=list)
    unchanged: int = 0
    errors: list[CellError] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    """What is known of the upload before its cells are looked at."""

    kind: str
    name: str
    sha256: str
    source: Source
    dry_run: bool


def _judge(
    directory: Directory[Any], values: Values, seen: Mapping[Hashable, int], here: World
) -> tuple[Hashable, Entry, Entry | None]:
    """The record of a row and what it was before; raises a CellRefusal."""
    made = directory.make(values, here)
    key = directory.key(made)
    if key in seen:
        raise refusals.DuplicateRow(field=directory.key_column, first_row=seen[key])
    before = here.present.get(key)
    record = settle(made, before, here)
    if directory.judge is not None:
        directory.judge(record, before, here)
    return key, record, before


async def _check(file: File, act: Act, rules: Library) -> Checked:
    """Judge every row against the directory as it is; changes nothing."""
    directory, sheet = DIRECTORIES[file.kind], sheets.sheet(file.kind)
    good, errors = rows.parse(sheet, file.source)
    found, here = Checked(errors=errors), world.of(act, rules)
    await directory.load(here, [values for _, values in good])
    seen: dict[Hashable, int] = {}
    for number, values in good:
        try:
            key, record, before = _judge(directory, values, seen, here)
        except refusals.CellRefusal as refusal:
            found.errors.append(rows.error_of(file.source, number, refusal))
            continue
        seen[key] = number
        if before is None:
            found.created.append(record)
        elif record == before:
            found.unchanged += 1
        else:
            found.updated.append(record)
    found.errors.sort(key=lambda error: (error.row, len(error.column), error.column))
    return found


async def _write(file: File, found: Checked, run_id: UUID, act: Act) -> None:
    directory, changed = DIRECTORIES[file.kind], found.created + found.updated
    if not changed:
        return
    await directory.write(changed)
    await versions.record(directory.version, await directory.changes(changed), act=act, run=run_id)


def _run(file: File, found: Checked, act: Act) -> ImportRun:
    state = "refused" if found.errors else "checked" if file.dry_run else "imported"
    return ImportRun(
        id=act.new_id(),
        region=act.by.region,
        kind=file.kind,
        file_name=file.name,
        sha256=file.sha256,
        dry_run=file.dry_run,
        state=state,
        row_count=len(file.source.rows),
        created_count=len(found.created),
        updated_count=len(found.updated),
        unchanged_count=found.unchanged,
        error_count=len(found.errors),
        errors=tuple(found.errors[:ERRORS_KEPT]),
        by_account=act.by.id,
        created_at=act.at,
    )


async def _store(run: ImportRun) -> None:
    await DB.connection.execute(
        INSERT,
        run.id,
        run.region,
        run.kind,
        run.file_name,
        run.sha256,
        run.dry_run,
        run.state,
        run.row_count,
        run.created_count,
        run.updated_count,
        run.unchanged_count,
        {"count": run.error_count, "cells": msgspec.to_builtins(run.errors)},
        run.by_account,
        run.created_at,
    )


def _of(row: Mapping[str, Any]) -> ImportRun:
    values, errors = dict(row), row["errors"]
    values["error_count"] = errors["count"]
    values["errors"] = tuple(msgspec.convert(errors["cells"], list[CellError]))
    return ImportRun(**values)


async def _take(file: File, *, act: Act, rules: Library) -> ImportRun:
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(LOCK, act.by.region)
        found = await _check(file, act, rules)
        run = _run(file, found, act)
        await _store(run)
        if run.state == "imported":
            await _write(file, found, run.id, act)
        await audit.record(
            act,
            f"import.{run.state}",
            "import_run",
            run.id,
            region=run.region,
            title=f"{run.kind} {run.file_name}",
            after_sha256=run.sha256,
        )
    if run.errors and not run.dry_run:
        # Raised after the commit: the run stays as the record of what was refused.
        told = msgspec.to_builtins(run.errors[:ERRORS_TOLD])
        raise refusals.ImportRefused(run=str(run.id), error_count=run.error_count, errors=told)
    return run


async def run(
    kind: str, content: bytes, *, file_name: str, dry_run: bool, act: Act, rules: Library
) -> ImportRun:
    """Import an XLSX or CSV file; a dry run checks it and answers what it would do.

    Raises: KindUnknown, EmptyFile, Unreadable, TooHeavy, TooLong, WrongColumns ("import.…");
    ImportRefused ("import.refused") when a real run has wrong cells.
    """
    sheet = sheets.sheet(kind)
    source = rows.of_table(sheet, await process.read(content))
    sha256 = hashlib.sha256(content).hexdigest()
    file = File(kind, file_name, sha256, source, dry_run)
    return await _take(file, act=act, rules=rules)


async def take(
    kind: str,
    cells: Sequence[Mapping[str, str]],
    *,
    act: Act,
    rules: Library,
    dry_run: bool = False,
) -> ImportRun:
    """Import rows that come as text by column key; a column left out is blank.

    Raises: KindUnknown, EmptyFile, WrongColumns, ImportRefused ("import.…").
    """
    sheet = sheets.sheet(kind)
    source = rows.of_mappings(sheet, cells)
    sha256 = hashlib.sha256(msgspec.json.encode(cells)).hexdigest()
    file = File(kind, "rows", sha256, source, dry_run)
    return await _take(file, act=act, rules=rules)


async def runs(*, act: Act, after: UUID | None = None, limit: int = 100) -> tuple[ImportRun, ...]:
    """Import runs of the caller's regions, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        found = await DB.connection.fetch(ALL, after, limit)
    return tuple(_of(row) for row in found)


async def import_run(run_id: UUID, *, act: Act) -> ImportRun:
    """One import run with its errors.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, run_id)
    if row is None:
        raise Absent
    return _of(row)

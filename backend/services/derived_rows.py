"""Rows that nobody lists: what forms with fields of their own and the directories say."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any, cast

from backend.piccolo_conf import DB
from backend.services import occupations, registers
from backend.services.accounts import on_day
from backend.services.payloads import (
    Allocation,
    ClassPlan,
    Completion,
    QuarterlyForm,
)
from inspection_plans.filings.catalogue import AnnualFiling, CatalogueEntry, Institution, Scope
from inspection_plans.filings.oversight import BadRecord, FormRow
from inspection_plans.filings.oversight import QuarterlyForm as FiledForm
from inspection_plans.filings.training import Allocation as Allotted
from inspection_plans.filings.training import ClassApproval, PlanFiling, TrainingClass
from inspection_plans.filings.words import Filed, Level

Row = Mapping[str, Any]
# The directories call the middle level by another word than the filings' document.
LEVELS: dict[str, Level] = {"junior": "junior", "intermediate": "middle", "senior": "senior"}
KINDS = {"R06": "plan", "R06b": "summary"}
DECIDED = {"submitted": "submitted", "accepted": "approved"}
CATALOGUE = """
select kind, occupation, levels, listed_on,
  least(valid_until, delisted_on - 1) as valid_until from catalogue_entry
where institution = $1 and least(valid_until, delisted_on - 1) >= listed_on
order by kind, listed_on, 5, occupation
"""
CLASSES = """
select code, occupation, level, venue_region, starts_on, ends_on, status from training_class
where institution = $1 and status <> 'cancelled' order by code
"""
BAD_RECORDS = """
select id::text as id, entered_on, decided_on from bad_record where institution = $1 order by id
"""


def occupation(code: str) -> str:
    """The Chinese name of an occupation, which is its key in the filings' document."""
    return occupations.shipped().occupations[code].zh


async def of_directories(owner: Row, filed: Iterable[Row]) -> list[Filed]:
    """The institution, its catalogue entries, its classes with what was filed about them."""
    code = owner["credit_code"]
    rows: list[Filed] = [
        Institution(id=code, home_region=owner["home_region"], base=owner["is_base"])
    ]
    entries = await DB.connection.fetch(CATALOGUE, owner["id"])
    for (kind, first, last), group in groupby(
        entries, key=lambda row: (row["kind"], row["listed_on"], row["valid_until"])
    ):
        rows.append(_entry(code, kind, (first, last), group))
    said = {(one["register"], one["period"]): one for one in filed}
    classes = await DB.connection.fetch(CLASSES, owner["id"])
    rows += [_class(code, row, said) for row in classes]
    bad = await DB.connection.fetch(BAD_RECORDS, owner["id"])
    return rows + [BadRecord(subject="institution", subject_id=code, **dict(row)) for row in bad]


def _entry(code: str, kind: str, term: tuple[date, date], group: Iterable[Row]) -> CatalogueEntry:
    return CatalogueEntry(
        id=f"{code}:{kind}:{term[0]}_{term[1]}",
        institution_id=code,
        side="training" if kind == "training" else "evaluation",
        valid_from=term[0],
        valid_until=term[1],
        scope=tuple(
            Scope(
                occupation=occupation(row["occupation"]),
                levels=tuple(LEVELS[level] for level in row["levels"]),
            )
            for row in group
        ),
    )


def _class(code: str, row: Row, said: Mapping[tuple[str, str], Row]) -> TrainingClass:
    plan = _head(said.get(("R07", row["code"])), ClassPlan)
    done = _head(said.get(("R15", row["code"])), Completion)
    over = row["ends_on"] if row["status"] == "ended" else None
    ended = done.ended_on if done else over
    return TrainingClass(
        id=f"{code}:{row['code']}",
        institution_id=code,
        occupation=occupation(row["occupation"]),
        level=LEVELS[row["level"]],
        start_on=row["starts_on"],
        end_on=row["ends_on"],
        ended_on=ended,
        completed_on=ended,
        venue_region=row["venue_region"],
        direction=(plan.direction or None) if plan else None,
        teachers=len(plan.teachers) if plan else None,
        places=plan.persons if plan else None,
    )


def _head(filed: Row | None, kind: type[Any]) -> Any:  # noqa: ANN401 - of the kind asked for
    if filed is None:
        return None
    head = registers.read(filed["register"], filed["period"], filed["payload"]).head
    return head if isinstance(head, kind) else None


def of_form(filed: Row, owner: str) -> Iterator[Filed]:
    """The rows that a form with fields of its own comes to."""
    register, period = filed["register"], filed["period"]
    key, day = f"{owner}:{register}:{period}", on_day(filed["submitted_at"])
    if register in KINDS:
        kind = cast("Any", KINDS[register])
        yield AnnualFiling(id=key, institution_id=owner, year=int(period), kind=kind, filed_on=day)
    elif register == "R07":
        yield from _plan(key, f"{owner}:{period}", day)
    elif register == "R08":
        decided = filed["decided_at"]
        yield ClassApproval(
            id=key,
            class_id=f"{owner}:{period}",
            status=cast("Any", DECIDED[filed["state"]]),
            decided_on=on_day(decided) if decided else None,
        )
    elif register == "R09":
        yield from _allotted(key, owner, filed)
    elif register == "R38":
        yield _form(key, owner, filed, day)


def _plan(key: str, class_id: str, day: date) -> Iterator[PlanFiling]:
    """One filing here reaches province and city: both papers, both recipients."""
    for kind in ("training", "exam"):
        for to in registers.register("R07").to:
            yield PlanFiling(
                id=f"{key}:{kind}:{to}",
                class_id=class_id,
                kind=cast("Any", kind),
                recipient=to,
                filed_on=day,
            )


def _allotted(key: str, owner: str, filed: Row) -> Iterator[Allotted]:
    for item in _head(filed, Allocation).items:
        yield Allotted(
            id=f"{key}:{item.occupation}",
            institution_id=owner,
            occupation=occupation(item.occupation),
            year=int(filed["period"]),
            persons=item.persons,
        )


def _form(key: str, owner: str, filed: Row, day: date) -> FiledForm:
    form: QuarterlyForm = _head(filed, QuarterlyForm)
    return FiledForm(
        id=key,
        institution_id=owner,
        quarter=filed["period"],
        sent_on=day,
        filled_on=form.filled_on,
        filled_by="given",  # that somebody signed is known; the name stays in the form
        telephone_given=bool(form.phone),
        measures=bool(form.measures),
        experience=bool(form.experience),
        problems=bool(form.problems),
        rows=tuple(
            FormRow(
                occupation=row.name,
                classes=row.classes,
                subsidised_classes=row.subsidised_classes,
                trained=row.trained,
                certified=row.certified,
                subsidised_persons=row.subsidised_persons,
                amount_fen=row.subsidy_fen,
            )
            for row in form.rows
        ),
    )

"""The quarterly form, counted from filings and held against the one filed."""

from collections.abc import Iterable
from typing import Annotated, Any

from inspection_plans import quarterly
from inspection_plans.ask.questions import Answer, Handler, Placed, basis, why
from inspection_plans.ask.refusals import WrongField
from inspection_plans.deadlines import quarter_end
from inspection_plans.desk.view import View
from inspection_plans.filings import FiledTwice, Filings
from inspection_plans.filings.oversight import FormRow, QuarterlyForm
from inspection_plans.filings.words import Key
from inspection_plans.quarterly import Counting, Layout
from inspection_plans.records import Meta
from inspection_plans.rulebook import Rulebook


class FormAsked(Placed, frozen=True, kw_only=True):
    """季度《开展情况表》 of one institution; ``filings`` as in a desk review."""

    quarter: Annotated[str, Meta(pattern=r"20\d\dQ[1-4]")]
    institution: Key
    filings: Filings


def generate(question: FormAsked, rules: Rulebook) -> Answer:
    """Answer with the form's cells, what is left to write by hand, and what was filed otherwise.

    Source: weihai-2023-25/6.2/quarterly-form, weihai-2023-25/annex; clause register K18.
    """
    place, last = question.jurisdiction, quarter_end(question.quarter)
    layout = quarterly.layout(rules.in_force(place, last), rules.figures)
    if layout is None:
        return {"rows": None, **why(rules, "no_form"), "clauses": [], "basis": []}
    try:
        view = View.of(question.filings)
    except FiledTwice as wrong:
        raise WrongField("this key is filed twice", field=f"filings.{wrong.field}") from None
    setting = rules.setting("quarterly_counting", place)
    due = rules.clock.deadline("quarterly_form", place, last)
    known: Answer = {
        "quarter": question.quarter,
        "due": None if due is None else due.due.isoformat(),
        "clauses": list(layout.clauses),
        "basis": basis([setting]),
    }
    if missing := quarterly.unknown(view):
        return {"rows": None, **known, "missing": list(missing), **why(rules, "no_registers")}
    span = quarterly.period(question.quarter, Counting(str(setting.value)))
    rows = quarterly.counted(view, question.institution, span, layout.preset)
    return {**known, **_form(layout, rows), "filed": _filed(question, view, rows, rules)}


def _form(layout: Layout, rows: tuple[FormRow, ...]) -> Answer:
    shown = rows if layout.open_rows else rows[: len(layout.preset)]
    return {
        "columns": {"occupation": layout.row_key, **layout.columns},
        "rows": [_cells(row, layout.columns) for row in shown],
        "header": dict(layout.header),
        "attachments": dict(layout.attachments),
    }


def _cells(row: FormRow, columns: Iterable[str]) -> dict[str, Any]:
    return {"occupation": row.occupation, **{name: getattr(row, name) for name in columns}}


def _filed(
    question: FormAsked, view: View, rows: tuple[FormRow, ...], rules: Rulebook
) -> list[dict[str, Any]]:
    """Hold every form of the institution's quarter against the count."""
    return [
        {
            "id": form.id,
            "differences": [
                {
                    "occupation": cell.occupation,
                    "measure": cell.measure,
                    "filed": cell.filed,
                    "counted": cell.counted,
                }
                for cell in quarterly.differences(form, rows, rules.figures.measures)
            ],
        }
        for form in view.many(QuarterlyForm, "institution_id", question.institution)
        if form.quarter == question.quarter
    ]


HANDLERS: dict[str, Handler[Any]] = {"quarterly_form_generate": Handler(FormAsked, generate)}

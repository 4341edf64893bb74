"""What a plan must satisfy before anybody may submit it; pure but for the rules' own files."""

from collections.abc import Collection
from datetime import timedelta

from backend.services.entropy import check_ref
from backend.services.errors import ServiceRefusal
from backend.services.records.plans import Entropy, PlanDraft, PlanSpec, Stratum
from inspection_plans import policy
from inspection_plans.draw import canon
from inspection_plans.draw.allot import check_plan, strata_of
from inspection_plans.draw.ceremony import PUBLIC_SOURCES
from inspection_plans.errors import Family
from inspection_plans.loader import applied_sheet, jurisdiction_of

OPERATOR = "operator"
LONGEST_WINDOW = timedelta(days=366)
# Which kinds of visit fit an inspection object 检查对象 of a kind.
FITTING = {
    "training": {"training_site", "document_review", "remote_class"},
    "evaluation": {"evaluation_site", "exam_patrol", "document_review"},
    "class_session": {"class_session", "remote_class"},
}


class WindowWrong(ServiceRefusal):
    """The window ends before it starts, is longer than a year, or is over before the draw."""

    code = "plan.window_wrong"


class RuleMissing(ServiceRefusal):
    """An object kind of the plan has no rule of visits, two of them, or one that does not fit."""

    code = "plan.visit_rule_wrong"


class LevelD(ServiceRefusal):
    """One party and no entropy: a draw that its operator could steer."""

    code = "plan.level_d"
    family = Family.GATE


class PartiesWrong(ServiceRefusal):
    """A party or a source is named twice, or the operator is missing."""

    code = "plan.parties_wrong"


class PartyUnknown(ServiceRefusal):
    """A party of the plan is not registered here, or no longer active."""

    code = "plan.party_unknown"
    family = Family.CONFLICT


def stratum_doc(ident: str, stratum: Stratum) -> dict[str, object]:
    """One stratum of the public plan: the opaque id and the numbers, never the name."""
    numbers = {
        "ratio": stratum.ratio,
        "min": stratum.min,
        "max": stratum.max,
        "size": stratum.size,
    }
    return {"id": ident, **{name: value for name, value in numbers.items() if value is not None}}


def selection_doc(spec: PlanSpec, ids: dict[str, str]) -> dict[str, object]:
    """The part of the public plan that selection reads; ``ids`` maps stratum name → opaque id.

    Source: draw.md section 5.
    """
    doc: dict[str, object] = {
        "mode": spec.mode,
        "base": spec.base,
        "reserve": spec.reserve,
        "strata": [stratum_doc(ids[stratum.name], stratum) for stratum in spec.strata],
    }
    if spec.total is not None:
        doc["total"] = spec.total
    return doc


def level_of(parties: Collection[str], entropy: Collection[Entropy]) -> str:
    """A: two parties and public entropy; B: two parties; C: one and entropy; D: one alone.

    Source: draw.md section 3.4.
    """
    if len(parties) > 1:
        return "A" if any(one.source in PUBLIC_SOURCES for one in entropy) else "B"
    return "C" if entropy else "D"


def objects_of(spec: PlanSpec) -> tuple[str, ...]:
    """The object kinds a plan draws from."""
    return spec.kinds if spec.objects == "institution" else ("class_session",)


def _window(draft: PlanDraft) -> None:
    length = draft.window_until - draft.window_from
    if length < timedelta() or length > LONGEST_WINDOW:
        raise WindowWrong(field="window_until", longest_days=LONGEST_WINDOW.days)
    if draft.fire_at.date() >= draft.window_until:
        raise WindowWrong(field="fire_at", window_until=draft.window_until.isoformat())
    if draft.year not in (draft.window_from.year, draft.window_until.year):
        raise WindowWrong(field="year", year=draft.year)


def _selection(spec: PlanSpec) -> None:
    """The engine's own checks, so that what is accepted here is never refused at the draw."""
    names = [stratum.name for stratum in spec.strata]
    doc = selection_doc(spec, {name: name for name in names})
    strata = strata_of(doc)
    # Everything that reaches the public log or the plan's digest must have a canonical form.
    texts = [*spec.skills, *(one.ref for one in spec.entropy), spec.level_d_reason or ""]
    canon.canonical([doc, texts])
    check_plan(doc, strata)


def _visits(draft: PlanDraft, region: int) -> None:
    needed = objects_of(draft.spec)
    given = [rule.object for rule in draft.spec.visits]
    if sorted(given) != sorted(needed):
        raise RuleMissing(field="visits", needed=sorted(needed), given=sorted(given))
    jurisdiction = jurisdiction_of(region)
    for rule in draft.spec.visits:
        if rule.kind not in FITTING[rule.object]:
            raise RuleMissing(
                field="visits", object=rule.object, kinds=sorted(FITTING[rule.object])
            )
        applied_sheet(rule.sheet, jurisdiction, draft.window_from)


def _settings(spec: PlanSpec, region: int) -> None:
    """A plan may set instead of a default only what the setting's bounds allow."""
    jurisdiction = jurisdiction_of(region)
    for name, value in (
        ("frequency_cap", spec.frequency_cap),
        ("cool_down_days", spec.cool_down_days),
        ("reserve_per_stratum", spec.reserve),
        ("team_size", spec.team_size),
        ("tasks_open_at_hour", spec.tasks_open_at_hour),
    ):
        policy.override(name, jurisdiction, value)


def _parties(spec: PlanSpec) -> None:
    sources = [(entropy.source, entropy.ref) for entropy in spec.entropy]
    twice = len(set(spec.parties)) < len(spec.parties) or len(set(sources)) < len(sources)
    if twice or OPERATOR not in spec.parties:
        raise PartiesWrong(field="parties", parties=list(spec.parties))
    for entropy in spec.entropy:
        check_ref(entropy.source, entropy.ref)
    steerable = spec.origin == "here" and level_of(spec.parties, spec.entropy) == "D"
    if steerable and not (spec.level_d_accepted and spec.level_d_reason):
        raise LevelD(field="entropy")


def check(draft: PlanDraft, region: int) -> None:
    """Refuse a plan that could not be drawn as it stands; the database is not asked.

    Raises: WindowWrong, RuleMissing, PartiesWrong, LevelD, RefInvalid ("plan.*"),
    DrawRefusal (E_RATIO, E_MODE, E_DUP_STRATUM, ...), "sheet.*", "policy.out_of_bounds".
    """
    _window(draft)
    _selection(draft.spec)
    _visits(draft, region)
    _settings(draft.spec, region)
    _parties(draft.spec)

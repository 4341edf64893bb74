"""补贴金额: what a class or a person may claim where a notice gives the rate; money in fen 分."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from inspection_plans import parameters
from inspection_plans.errors import RuleRefusal
from inspection_plans.parameters import BrokenParameter
from inspection_plans.vocabulary import Clause, ClauseId

_AMOUNT, _RIGHT, _EMPLOYMENT = "subsidy_amount", "subsidy_right", "employment_rate"

# Whose heads are paid, and with whom a contract is asked for, in the words of the register.
_BASES = {"trained persons": "trained", "employed persons": "employed"}
_CONTRACTS = ("employer in province",)


class HeadsDisagree(RuleRefusal):
    """More persons employed than trained, or a negative number."""

    code: ClassVar[str] = "amounts.heads_disagree"


class NoRateOfLevel(RuleRefusal):
    """The notice has no rate for this level."""

    code: ClassVar[str] = "amounts.no_rate_of_level"


@dataclass(frozen=True)
class Tier:
    """A daily rate for the next ``days`` days; None is all days that are left."""

    days: int | None
    fen_per_day: int
    clause: ClauseId


@dataclass(frozen=True)
class BatchRates:
    """How a class is paid: daily rates in order, a cap per head, whose heads count."""

    tiers: tuple[Tier, ...]
    cap_fen: int
    full_from: Fraction
    inclusive: bool
    full_base: str
    below_base: str
    clauses: tuple[ClauseId, ...]
    claimants: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """One class: persons paid for, what each is worth and the whole, both in fen."""

    heads: int
    per_head_fen: int
    total_fen: int
    all_trained: bool
    capped: bool


def batch_rates(clauses: Iterable[Clause]) -> BatchRates | None:
    """Read the daily rates of the nearest paper that has any; None where there is none.

    Raises: BrokenParameter ("packs.broken_parameter").
    Source: shanxi-2024-27/5.4 (rates, cap, employment rate); clause register K14.
    """
    known = tuple(clauses)
    daily = parameters.giving(known, _AMOUNT, "yuan_per_day")
    if not daily:
        return None
    pack = daily[-1].pack
    own = [clause for clause in known if clause.pack == pack]
    tiers = tuple(
        Tier(
            parameters.whole(clause, "days") if "days" in clause.parameters else None,
            parameters.fen(clause, "yuan_per_day"),
            clause.id,
        )
        for clause in daily
        if clause.pack == pack
    )
    cap = _only(parameters.giving(own, _AMOUNT, "cap_yuan_per_person"), pack)
    full = _only(parameters.giving(own, _EMPLOYMENT, "rate_min"), pack)
    below = _only(
        [one for one in parameters.giving(own, _EMPLOYMENT, "base") if one != full], pack
    )
    cited = [clause.id for clause in own if clause.concept in (_AMOUNT, _EMPLOYMENT)]
    rights = parameters.giving(own, _RIGHT, "claimant")
    rates = BatchRates(
        tiers=tuple(sorted(tiers, key=lambda tier: tier.days is None)),
        cap_fen=parameters.fen(cap, "cap_yuan_per_person"),
        full_from=parameters.share(full, "rate_min"),
        inclusive=full.parameters.get("inclusive") is True,
        full_base=_base(full),
        below_base=_base(below),
        clauses=(*cited, *(clause.id for clause in rights)),
        claimants=tuple(word for one in rights for word in parameters.words(one, "claimant")),
    )
    for clause in parameters.giving(own, _AMOUNT, "reached_at_day"):
        day = parameters.whole(clause, "reached_at_day")
        if not _uncapped_fen(rates, day - 1) < rates.cap_fen <= _uncapped_fen(rates, day):
            raise BrokenParameter(field="reached_at_day", clause=clause.id, value=day)
    return rates


def _base(clause: Clause) -> str:
    word = parameters.word(clause, "base")
    if word not in _BASES:
        raise BrokenParameter(field="base", clause=clause.id, value=word)
    return _BASES[word]


def _only(found: Sequence[Clause], pack: str) -> Clause:
    if len(found) != 1:
        raise BrokenParameter(field="clauses", clause=pack, value=[one.id for one in found])
    return found[0]


def per_head_fen(rates: BatchRates, days: int) -> int:
    """Return what one head is worth after so many days of training, capped.

    Source: shanxi-2024-27/5.4/rate-first-10-days, /rate-later-days, /cap-5000.
    """
    return min(rates.cap_fen, _uncapped_fen(rates, days))


def _uncapped_fen(rates: BatchRates, days: int) -> int:
    worth = 0
    for tier in rates.tiers:
        counted = days if tier.days is None else min(days, tier.days)
        worth += counted * tier.fen_per_day
        days -= counted
    return worth


def batch(rates: BatchRates, *, days: int, trained: int, employed: int) -> Batch:
    """Return what a class may claim: for all trained, or for those in work below the share.

    Raises: HeadsDisagree ("amounts.heads_disagree").
    Source: shanxi-2024-27/5.4/employment-80-full, /below-80-actual; K30 (就业率).
    """
    if not 0 <= employed <= trained or days < 0:
        raise HeadsDisagree(field="employed", trained=trained, employed=employed, days=days)
    everyone = parameters.at_least(employed, trained, rates.full_from, inclusive=rates.inclusive)
    counts = {"trained": trained, "employed": employed}
    heads = counts[rates.full_base if everyone else rates.below_base]
    worth = per_head_fen(rates, days)
    return Batch(heads, worth, worth * heads, everyone, _uncapped_fen(rates, days) > rates.cap_fen)


@dataclass(frozen=True)
class PersonRates:
    """How a person is paid: an amount per level, an extra per level, and the conditions."""

    base_fen: dict[str, tuple[int, ClauseId]]
    extra_fen: dict[str, tuple[int, ClauseId]]
    conditions: tuple[Clause, ...]
    claimants: tuple[str, ...]
    extra_once: bool


@dataclass(frozen=True)
class Entitlement:
    """What one person may claim in fen; ``unmet`` are the parameters that are not fulfilled."""

    base_fen: int
    extra_fen: int
    unmet: tuple[str, ...]
    clauses: tuple[ClauseId, ...]

    @property
    def amount_fen(self) -> int:
        """The whole."""
        return self.base_fen + self.extra_fen


def person_rates(clauses: Iterable[Clause]) -> PersonRates | None:
    """Read the rates per person of the nearest paper that has any; None where there is none.

    Levels are the words of the notice (初级, 中级, 高级).
    Raises: BrokenParameter ("packs.broken_parameter").
    Source: heilongjiang-2023-13/4.3 (rates, conditions, extra); clause register K14.
    """
    known = tuple(clauses)
    base = parameters.giving(known, _AMOUNT, "level", "yuan_per_person_time")
    if not base:
        return None
    pack = base[-1].pack
    own = [clause for clause in known if clause.pack == pack]
    conditions = parameters.giving(own, _RIGHT, "social_insurance_months_min")
    for clause in conditions:
        if clause.parameters.get("contract_with") not in (None, *_CONTRACTS):
            value = clause.parameters["contract_with"]
            raise BrokenParameter(field="contract_with", clause=clause.id, value=value)
    extra = parameters.giving(own, _AMOUNT, "levels", "yuan")
    return PersonRates(
        base_fen={
            level: (parameters.fen(clause, "yuan_per_person_time"), clause.id)
            for clause in base
            if clause.pack == pack
            for level in parameters.words(clause, "level")
        },
        extra_fen={
            level: (parameters.fen(clause, "yuan"), clause.id)
            for clause in extra
            for level in parameters.words(clause, "levels")
        },
        conditions=conditions,
        extra_once=all(clause.parameters.get("one_off") is True for clause in extra),
        claimants=tuple(
            dict.fromkeys(
                word
                for clause in parameters.giving(own, _AMOUNT, "claimant")
                for word in parameters.words(clause, "claimant")
            )
        ),
    )


def entitlement(
    rates: PersonRates,
    level: str,
    *,
    training_certificate: bool,
    contract_in_province: bool,
    insured_months: int,
    level_certificate: bool,
) -> Entitlement:
    """Return what one person may claim; nothing, with the reasons, while a condition is unmet.

    Raises: NoRateOfLevel ("amounts.no_rate_of_level").
    Source: heilongjiang-2023-13/4.3 (subsidy-conditions, subsidy-*, evaluation-bonus-*).
    """
    if level not in rates.base_fen:
        raise NoRateOfLevel(field="level", level=level, known=sorted(rates.base_fen))
    unmet: list[str] = []
    for clause in rates.conditions:
        if clause.parameters.get("training_certificate") and not training_certificate:
            unmet.append("training_certificate")
        if clause.parameters.get("contract_with") and not contract_in_province:
            unmet.append("contract_with")
        if insured_months < parameters.whole(clause, "social_insurance_months_min"):
            unmet.append("social_insurance_months_min")
    asked = tuple(clause.id for clause in rates.conditions)
    base, base_clause = rates.base_fen[level]
    if unmet:
        return Entitlement(0, 0, tuple(dict.fromkeys(unmet)), (base_clause, *asked))
    cited = (base_clause, *asked)
    if not level_certificate or level not in rates.extra_fen:
        return Entitlement(base, 0, (), cited)
    extra, extra_clause = rates.extra_fen[level]
    return Entitlement(base, extra, (), (*cited, extra_clause))

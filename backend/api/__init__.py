"""JSON for phones and integrators: every handler decodes, calls one service, encodes."""

from litestar.handlers import HTTPRouteHandler

from backend.api import (
    audit,
    cases,
    custody,
    derivatives,
    directories,
    doubts,
    draws,
    evidence,
    exclusions,
    externals,
    filings,
    findings,
    health,
    keys,
    log,
    logins,
    notices,
    openings,
    ops,
    pieces,
    plans,
    public_draws,
    publications,
    recounts,
    recoveries,
    replies,
    rules,
    signals,
    simulations,
    statistics,
    sync,
    tus,
    visits,
)

FACES = {
    "field": (logins, keys, rules, ops, sync, evidence, pieces, tus),
    "desk": (
        logins,
        audit,
        recoveries,
        rules,
        directories,
        plans,
        simulations,
        exclusions,
        externals,
        draws,
        openings,
        visits,
        doubts,
        evidence,
        custody,
        derivatives,
        signals,
        recounts,
        findings,
        notices,
        cases,
        publications,
        filings,
        statistics,
    ),
    "portal": (
        logins,
        notices,
        replies,
        filings,
        evidence,
        derivatives,
        pieces,
        directories,
        openings,
        tus,
    ),
    "public": (publications, public_draws, log),
}


def handlers(faces: tuple[str, ...]) -> list[HTTPRouteHandler]:
    """The routes of the faces switched on, each once; health is always there."""
    found = [handler for face in faces for module in FACES[face] for handler in module.HANDLERS]
    return list(dict.fromkeys([*health.HANDLERS, *found]))

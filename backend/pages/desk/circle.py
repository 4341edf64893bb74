"""The handlers of the circle from a visit to its publication, in the order of the menu."""

from backend.pages.desk import (
    board,
    cases,
    evidence,
    findings,
    notice,
    notice_deeds,
    notices,
    publications,
    recounts,
    search,
    strays,
    tips,
    visit,
)

HANDLERS = [
    *board.HANDLERS,
    *visit.HANDLERS,
    *evidence.HANDLERS,
    *recounts.HANDLERS,
    *findings.HANDLERS,
    *notices.HANDLERS,
    *notice.HANDLERS,
    *notice_deeds.HANDLERS,
    *cases.HANDLERS,
    *publications.HANDLERS,
    *strays.HANDLERS,
    *search.HANDLERS,
    *tips.HANDLERS,
]

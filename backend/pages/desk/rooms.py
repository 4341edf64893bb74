"""The handlers of the desk's further rooms, in the order of the menu."""

from backend.pages.desk import (
    ceremony,
    classes,
    draws,
    imports,
    inspectors,
    institutions,
    plan_edit,
    plans,
    simulations,
    statistics,
    versions,
)

HANDLERS = [
    *plans.HANDLERS,
    *plan_edit.HANDLERS,
    *simulations.HANDLERS,
    *draws.HANDLERS,
    *ceremony.HANDLERS,
    *statistics.HANDLERS,
    *institutions.HANDLERS,
    *inspectors.HANDLERS,
    *classes.HANDLERS,
    *versions.HANDLERS,
    *imports.HANDLERS,
]

"""The table of all judgements: every module of ``themes``, put together."""

import importlib
import pkgutil

from inspection_plans.desk import themes
from inspection_plans.desk.frame import Check, declared


def _gather() -> tuple[Check, ...]:
    for module in pkgutil.iter_modules(themes.__path__, f"{themes.__name__}."):
        importlib.import_module(module.name)
    return tuple(sorted(declared(), key=lambda found: found.name))


CHECKS = _gather()

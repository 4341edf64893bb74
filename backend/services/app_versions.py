"""Versions of the phone's application: an old one gets no new tasks, all its work is taken.

A forced update must never strand what was captured before it.
Source: evidence spec 11 (a forced update still lets the old client upload).
"""

import re

from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family

FORM = r"^[0-9]{1,4}(\.[0-9]{1,4}){0,3}\Z"


class UpdateNeeded(ServiceRefusal):
    """This version is older than the oldest that may begin new work."""

    code = "app.update_needed"
    family = Family.GATE


def known(version: str) -> tuple[int, ...]:
    """A version as numbers that compare; raises ValueError for anything else."""
    if not re.match(FORM, version):
        raise ValueError(version)
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()  # 1.2 and 1.2.0 are one version
    return tuple(parts)


def may_begin(version: str | None, minimum: str) -> None:
    """Let a version fetch tasks that is not older than ``minimum``; one that says none may.

    Raises: UpdateNeeded ("app.update_needed").
    """
    if version is not None and known(version) < known(minimum):
        raise UpdateNeeded(version=version, minimum=minimum)

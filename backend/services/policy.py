"""Who may do what: one table of action → roles, read by routes, services and tests.

The scope half of a right (which regions, which institution) is row-level security's work.
"""

from backend.services.act import Person
from backend.services.errors import Denied

PUBLIC = "public"
SIGNED_IN = "signed_in"

OFFICE = frozenset({"supervisor", "approver", "legal", "publisher", "integrator"})
ADMINS = frozenset({"sysadmin", "secadmin", "auditadmin"})
FIELD = frozenset({"inspector", "expert"})
INSTITUTION = frozenset({"institution_user"})
ROLES = OFFICE | ADMINS | FIELD | INSTITUTION

ACTIONS: dict[str, frozenset[str]] = {
    "public.read": frozenset({PUBLIC}),
    "session.open": frozenset({PUBLIC}),
    "session.own": frozenset({SIGNED_IN}),
    "inbox.own": frozenset({SIGNED_IN}),
    "calendar.read": frozenset({PUBLIC}),
    "deliveries.read": frozenset({"sysadmin"}),
    "webhooks.manage": frozenset({"integrator", "sysadmin"}),
    "statistics.read": OFFICE,
    "rules.read": frozenset({SIGNED_IN}),
    "rules.desk": OFFICE | ADMINS,
    "accounts.read": ADMINS | {"supervisor"},
    "accounts.manage": frozenset({"sysadmin"}),
    "roles.manage": frozenset({"secadmin"}),
    "devices.approve": frozenset({"supervisor", "secadmin"}),
    "devices.revoke": frozenset({"supervisor", "secadmin"}),
    "devices.enrol": FIELD,
    "audit.read": frozenset({"auditadmin"}),
    "log.read": frozenset({PUBLIC}),
    "log.cosign": frozenset({PUBLIC}),
    "log.recover": ADMINS,
    "log.check": frozenset({"auditadmin"}),
    "upkeep.read": ADMINS,
    "tasks.retry": frozenset({"sysadmin"}),
    "works.read": OFFICE,
    "directories.read": OFFICE | INSTITUTION,
    "directories.browse": OFFICE,
    "inspectors.read": OFFICE,
    "directories.import": frozenset({"supervisor", "integrator"}),
    "directories.export": OFFICE,
    "institution.own": INSTITUTION,
    "plans.read": OFFICE,
    "plans.write": frozenset({"supervisor"}),
    "plans.approve": frozenset({"approver"}),
    "draws.read": OFFICE,
    "draws.watch": OFFICE | {"auditadmin"},
    "draws.opening": OFFICE | INSTITUTION,
    "draws.run": frozenset({"supervisor"}),
    "draws.party": frozenset({"supervisor", "approver", "auditadmin"}),
    "draws.void": frozenset({"supervisor", "approver"}),
    "field.sync": FIELD,
    "slips.answer": frozenset({PUBLIC}),
    "slips.read": OFFICE | FIELD,
    "visits.read": OFFICE,
    "visits.review": frozenset({"supervisor"}),
    "visits.approve": frozenset({"approver"}),
    "visits.recuse": frozenset({"supervisor"}),
    "visits.assign": frozenset({"supervisor"}),
    "evidence.read": OFFICE | INSTITUTION,
    "evidence.upload": FIELD | INSTITUTION,
    "exports.own": OFFICE | INSTITUTION | ADMINS,
    "exports.desk": OFFICE | ADMINS,
    "documents.read": OFFICE | INSTITUTION,
    "documents.issue": frozenset({"supervisor", "publisher"}),
    "documents.void": frozenset({"approver"}),
    "documents.template": frozenset({"supervisor"}),
    "packages.bring": FIELD | {"supervisor"},
    "packages.read": FIELD | {"supervisor", "approver", "legal"},
    "evidence.acts": OFFICE,
    "evidence.derive": frozenset({"supervisor", "legal", "publisher"}),
    "evidence.propose": frozenset({"supervisor"}),
    "evidence.decide": frozenset({"approver"}),
    "signals.read": frozenset({"supervisor", "approver", "legal"}),
    "signals.judge": frozenset({"supervisor"}),
    "recounts.order": frozenset({"supervisor"}),
    "recounts.count": frozenset({"supervisor", "approver"}),
    "findings.read": OFFICE,
    "findings.verify": frozenset({"supervisor"}),
    "notices.read": OFFICE | INSTITUTION,
    "notices.write": frozenset({"supervisor"}),
    "notices.legal": frozenset({"legal"}),
    "notices.return": frozenset({"legal", "approver"}),
    "notices.approve": frozenset({"approver"}),
    "notices.serve": frozenset({"supervisor"}),
    "notices.reply": INSTITUTION,
    "replies.read": OFFICE,
    "replies.decide": frozenset({"approver"}),
    "clocks.stop": frozenset({"supervisor", "approver"}),
    "notices.review": frozenset({"supervisor"}),
    "notices.close": frozenset({"approver"}),
    "cases.read": OFFICE,
    "cases.write": frozenset({"supervisor"}),
    "cases.legal": frozenset({"legal"}),
    "cases.propose": frozenset({"approver"}),
    "cases.recuse": frozenset({"approver"}),
    "cases.close": frozenset({"approver"}),
    "offices.recuse": frozenset({"approver"}),
    "bad_records.read": OFFICE | INSTITUTION,
    "publications.read": OFFICE,
    "publications.prepare": frozenset({"supervisor", "publisher"}),
    "publications.approve": frozenset({"approver"}),
    "dossiers.read": OFFICE | INSTITUTION,
    "dossiers.order": frozenset({"supervisor", "legal"}) | INSTITUTION,
    "filings.read": OFFICE | INSTITUTION,
    "filings.write": INSTITUTION | {"supervisor"},
    "filings.decide": frozenset({"supervisor"}),
    "desk.read": frozenset({"supervisor", "approver", "legal"}),
    "desk.judge": frozenset({"supervisor"}),
    "tips.send": frozenset({PUBLIC}),
    "tips.read": frozenset({"supervisor", "legal"}),
    "tips.handle": frozenset({"supervisor"}),
    "tips.unseal": frozenset({"legal", "approver"}),
}


def allowed(action: str, roles: frozenset[str], *, signed_in: bool) -> bool:
    """Whether these roles may do this; an unknown action is a KeyError, never a yes."""
    need = ACTIONS[action]
    return PUBLIC in need or (signed_in and SIGNED_IN in need) or bool(need & roles)


def require(person: Person, action: str) -> None:
    """Raise Denied ("person.denied") unless the person's roles allow the action."""
    if not allowed(action, person.roles, signed_in=True):
        raise Denied(action=action)

"""Who may call: every route names its action, one guard asks the policy table."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from backend.services import policy
from backend.services.errors import Denied


async def authorise(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let the caller pass when the route's action allows its roles.

    A handler states its action as ``@get(..., action="plans.read")``; one without is a fault that
    the architecture test finds, and here nobody passes.
    """
    if connection.scope.get("method") == "OPTIONS":  # the framework's own answer: which methods
        return
    action = handler.opt["action"]
    person = connection.user
    if policy.PUBLIC in policy.ACTIONS[action]:
        return
    if person is None:
        raise NotAuthorizedException
    if not policy.allowed(action, person.roles, signed_in=True):
        raise Denied(action=action)

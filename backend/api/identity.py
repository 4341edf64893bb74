"""Who is calling: a bearer token under /api, a server-side session elsewhere, never both."""

from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from backend.services import accounts, tokens

SESSION_ACCOUNT = "account"


class Identity(AbstractAuthenticationMiddleware):
    """Puts the Person on the connection, or None; a token that is wrong or over is a 401."""

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        at = connection.app.state.clock()
        if connection.url.path.startswith("/api/"):
            header = connection.headers.get("authorization", "")
            if not header:
                return AuthenticationResult(user=None, auth=None)
            scheme, _, token = header.partition(" ")
            person = await tokens.person_of_token(token, at=at) if scheme == "Bearer" else None
            if person is None:
                raise NotAuthorizedException
            return AuthenticationResult(user=person, auth=token)
        session = cast("dict[str, str]", connection.scope.get("session") or {})
        account = session.get(SESSION_ACCOUNT)
        person = await accounts.person_of_session(account, at=at) if account else None
        return AuthenticationResult(user=person, auth=None)

"""Route decorators of pages: refusals are pages too, and the OpenAPI leaves them out."""

from functools import partial

from litestar import get as _get
from litestar import post as _post

from backend.pages.problems import problem

get = partial(_get, exception_handlers={Exception: problem}, include_in_schema=False)
# Pages of everybody: no session is looked up, no form token is set, a copy is as good for anyone.
public = partial(get, exclude_from_csrf=True, skip_session=True)
post = partial(_post, exception_handlers={Exception: problem}, include_in_schema=False)

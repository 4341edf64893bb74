"""Route decorators that document every refusal; 500 is documented nowhere and happens nowhere."""

from functools import partial

from litestar import delete as _delete
from litestar import get as _get
from litestar import patch as _patch
from litestar import post as _post
from litestar import put as _put
from litestar import route as _route

from backend.api.problems import docs

REFUSALS = docs(400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)

get = partial(_get, responses=REFUSALS)
post = partial(_post, responses=REFUSALS)
put = partial(_put, responses=REFUSALS)
patch = partial(_patch, responses=REFUSALS)
delete = partial(_delete, responses=REFUSALS)
route = partial(_route, responses=REFUSALS)

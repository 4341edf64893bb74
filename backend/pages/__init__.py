"""HTML for desk, portal and public: the same services as the API."""

from litestar.handlers import HTTPRouteHandler

from backend.pages import phone, static
from backend.pages.desk import home, sign_in
from backend.pages.public import bundles, check, codes, log, publications

FACES = {
    "field": (static, codes, phone),
    "portal": (static, codes, sign_in, home),
    "public": (static, codes, publications, check, log, bundles),
    "desk": (static, codes, sign_in, home),
}


def handlers(faces: tuple[str, ...]) -> list[HTTPRouteHandler]:
    """The pages of the faces switched on, each once."""
    modules = dict.fromkeys(module for face in faces for module in FACES[face])
    return [handler for module in modules for handler in module.HANDLERS]

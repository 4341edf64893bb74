"""Feeds (Atom, RFC 4287): what became public, newest first, for whoever follows it."""

from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from litestar import Request

from backend.pages.render import link
from backend.pages.words import Language, language_of, say
from backend.services.publications import Kind, Public

NAMESPACE = "http://www.w3.org/2005/Atom"
NOTHING_YET = "1970-01-01T00:00:00Z"


def title(item: Public, language: Language) -> str:
    """What a publication is about, on one line."""
    body = item.body
    if item.kind != "result":
        return str(body.get("title", ""))
    said = "；".join(wording[language] for wording in body["wordings"])
    return f"{body['institution']['name']}：{said}"


def atom(
    request: Request[Any, Any, Any],
    path: str,
    kind: Kind,
    items: tuple[Public, ...],
    *,
    origin: str,
) -> str:
    """The feed of one kind; ``origin`` is where the site is, without a last slash."""
    language = language_of(request)
    feed = Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en" if language == "en" else "zh-CN"})
    SubElement(feed, "id").text = f"{origin}{link(f'/{path}.atom', language)}"
    name = f"{say('site.name', language)} · {say(f'public.{kind}', language)}"
    SubElement(feed, "title").text = name
    newest = max((item.published_at for item in items), default=None)
    SubElement(feed, "updated").text = newest.isoformat() if newest else NOTHING_YET
    author = SubElement(feed, "author")
    SubElement(author, "name").text = say("site.name", language)
    SubElement(feed, "link", rel="self", href=f"{origin}{link(f'/{path}.atom', language)}")
    SubElement(feed, "link", rel="alternate", href=f"{origin}{link(f'/{path}', language)}")
    for item in items:
        _entry(feed, item, language, origin)
    return tostring(feed, encoding="unicode", xml_declaration=True)


def _entry(feed: Element, item: Public, language: Language, origin: str) -> None:
    entry = SubElement(feed, "entry")
    SubElement(entry, "id").text = f"urn:uuid:{item.id}"
    SubElement(entry, "title").text = title(item, language)
    SubElement(entry, "updated").text = item.published_at.isoformat()
    where = f"{origin}{link(f'/publications/{item.id}', language)}"
    SubElement(entry, "link", rel="alternate", href=where)
    said = say(
        "public.corrected" if item.state == "corrected" else f"public.{item.kind}", language
    )
    SubElement(entry, "summary").text = said

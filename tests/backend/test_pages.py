"""Pages: public for everybody, the desk behind a session, every refusal in words."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from backend.clock import new_id
from backend.pages import style
from backend.pages.words import words
from backend.services import accounts, policy, publications, waiting
from backend.services.publications import Content
from inspection_plans.loader import load
from tests import casework, world
from tests.conftest import StillClock

POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
STORE = re.compile(r" http://127\.0\.0\.1:[0-9]+")
DESK_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
TEMPLATES = Path(__file__).parents[2] / "backend" / "pages" / "templates"
VOID = {"meta", "link", "input", "br", "img", "hr"}
# The desk's own scripts, by their address; nothing inline anywhere.
SCRIPT = re.compile(r'<script src="/assets/[0-9a-f]{16}/[a-z/.]+" (defer|type="module")></script>')


class Outline(HTMLParser):
    """Open elements, ids, links and labels of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labelled: list[str] = []
        self.inputs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag == "label":
            self.labelled.append(found["for"] or "")
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden":
            self.inputs.append(found["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(answer: httpx.Response, policy: str = POLICY) -> Outline:
    """The page, which must be well formed, once-only in its ids, labelled, and locked down."""
    assert answer.headers["content-type"].startswith("text/html")
    assert STORE.sub("", answer.headers["content-security-policy"]) == policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = Outline()
    found.feed(answer.text)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert set(found.inputs) <= set(found.labelled)
    text = SCRIPT.sub("", answer.text) if policy == DESK_POLICY else answer.text
    assert not re.search(r"<script|<style|style=|https?://|\{\{|None", text)
    return found


def csrf(answer: httpx.Response) -> str:
    """The token that a form of the page would send."""
    found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', answer.text)
    assert found
    return found[1]


async def signed_in(client: httpx.AsyncClient, who: world.Login) -> httpx.Response:
    """Sign in by the form, as a browser does."""
    form = await client.get("/desk/sign-in")
    return await client.post(
        "/desk/sign-in",
        data={"_csrf_token": csrf(form), "login": who.login, "password": who.password},
    )


async def published(owner: asyncpg.Connection, clock: StillClock) -> publications.Publication:
    """A result and its correction, both public."""
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    author, approver = matter.office.author.act, matter.office.approver.act
    content = Content(wordings=("correction_ordered",))
    first = await publications.prepare(
        "result", matter.visit, content, rules=load(), act=author(clock())
    )
    await publications.approve(first.id, digest=first.digest, act=approver(clock()))
    await publications.publish(first.id, act=author(clock()))
    content = Content(wordings=("further_handling",))
    second = await publications.correct(
        first.id, content, reason="<b>用语</b>", rules=load(), act=author(clock())
    )
    await publications.approve(second.id, digest=second.digest, act=approver(clock()))
    return await publications.publish(second.id, act=author(clock()))


async def test_the_empty_page_says_what_to_expect(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    found = outline(answer)
    assert answer.status_code == 200
    assert answer.text.count("目前没有公示") == 3
    assert "/?lang=en" in found.links
    assert style.address() in answer.text
    english = await client.get("/?lang=en")
    outline(english)
    assert "Nothing is published yet" in english.text
    assert 'lang="en"' in english.text


async def test_results_with_wording_correction_and_json(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    second = await published(owner, clock)
    answer = await client.get("/results")
    found = outline(answer)
    assert "发现问题待后续处理" in answer.text
    assert "发现问题已责令改正" in answer.text
    assert "&lt;b&gt;用语&lt;/b&gt;" in answer.text
    assert f"/publications/{second.id}/json" in found.links
    for path in [link for link in found.links if link.startswith("/")]:
        assert (await client.get(path)).status_code == 200, path
    one = await client.get(f"/publications/{second.id}")
    outline(one)
    assert "发现问题待后续处理" in one.text
    assert "发现问题已责令改正" in one.text
    english = await client.get(f"/publications/{second.id}?lang=en")
    assert "Problems found, further handling to follow" in english.text
    kept = await client.get("/results", headers={"If-None-Match": answer.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    other = await client.get("/results?lang=en", headers={"If-None-Match": answer.headers["etag"]})
    assert other.status_code == 200


async def test_a_full_shelf_goes_on(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> None:
    newest = await published(owner, clock)
    for _ in range(20):  # older copies, as a busy office has them
        await owner.execute(
            "insert into publication (id, region, kind, subject, state, wordings, body, digest,"
            " due_on, prepared_by, prepared_at, published_at)"
            " select $1, region, kind, subject, 'corrected', wordings, body - 'correction',"
            " digest, due_on, prepared_by, prepared_at, published_at"
            " from publication where id = $2",
            UUID(int=newest.id.int - next(casework.count) - (1 << 100)),
            newest.id,
        )
    first = await client.get("/results")
    (older,) = [link for link in outline(first).links if link.startswith("/results?after=")]
    second = await client.get(older)
    outline(second)
    assert first.text.count('<li id="p-') == 20
    assert second.text.count('<li id="p-') == 2
    assert str(newest.id) not in second.text


async def test_every_address_on_the_desk_answers(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    institution = await casework.an_institution(office, clock())
    user = await world.a_person(
        clock(), "institution_user", region=office.region, institution=institution
    )
    people = (office.author, office.approver, office.legal, user)
    headers = [(who.person.roles, await world.signed_in(client, who)) for who in people]
    for action, address, _ in waiting.MATTERS.values():
        (first, *_) = [h for roles, h in headers if policy.ACTIONS[action] & roles]
        assert (await client.get(address, headers=first)).status_code == 200, address


async def test_what_is_not_public_is_absent_in_words(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/publications/{new_id()}")
    outline(answer)
    assert answer.status_code == 404
    assert "没有找到" in answer.text
    english = await client.get(f"/publications/{new_id()}?lang=en")
    assert "Not found" in english.text


async def test_the_type_of_a_problem_leads_to_its_words(client: httpx.AsyncClient) -> None:
    refused = (await client.get("/api/v1/findings")).json()
    answer = await client.get(refused["type"])
    outline(answer)
    assert (answer.status_code, refused["title"] in answer.text) == (200, True)
    assert (await client.get("/problems/no.such")).status_code == 404


async def test_the_style_sheet_is_kept_by_its_digest(client: httpx.AsyncClient) -> None:
    answer = await client.get(style.address())
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert (await client.get("/assets/0000/mingcha.css")).status_code == 404


async def test_sign_in_home_and_sign_out(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock(), verified=False)
    away = await client.get("/desk")
    assert (away.status_code, away.headers["location"]) == (303, "/desk/sign-in")
    answer = await signed_in(client, matter.office.author)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    home = await client.get("/desk")
    outline(home, DESK_POLICY)
    assert home.headers["cache-control"] == "no-store"
    assert matter.office.author.person.name in home.text
    assert "监管人员" in home.text
    assert "疑似问题待核实" in home.text
    out = await client.post("/desk/sign-out", data={"_csrf_token": csrf(home)})
    assert out.status_code == 303
    assert (await client.get("/desk")).status_code == 303


async def test_what_waits_is_counted_for_each_role(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    await casework.served(matter, clock(), draft=matter.draft(days=5))
    await casework.concluded(owner, matter.visit, clock())
    clock.tick(days=8)
    await signed_in(client, matter.office.author)
    home = await client.get("/desk?lang=en")
    assert "Notices overdue" in home.text
    assert "Results due for publication" in home.text
    assert "Notices for legal review" not in home.text
    client.cookies.clear()
    await signed_in(client, matter.user)
    assert (await client.get("/desk")).headers["location"] == "/portal"
    client.cookies.clear()
    await signed_in(client, matter.office.legal)
    assert "没有待办" in (await client.get("/desk")).text


async def test_a_wrong_password_keeps_the_login_and_opens_nothing(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "supervisor")
    form = await client.get("/desk/sign-in")
    outline(form)
    body = {"_csrf_token": csrf(form), "login": who.login, "password": "not the password"}
    answer = await client.post("/desk/sign-in", data=body)
    outline(answer)
    assert answer.status_code == 403
    assert f'value="{who.login}"' in answer.text
    assert "not the password" not in answer.text
    assert (await client.get("/desk")).status_code == 303


async def test_a_form_without_its_token_is_refused(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "supervisor")
    await client.get("/desk/sign-in")
    body = {"login": who.login, "password": who.password}
    answer = await client.post("/desk/sign-in", data=body)
    outline(answer)
    assert answer.status_code == 403
    assert "页面已过期" in answer.text
    stolen = {**body, "_csrf_token": "0" * 128}
    assert (await client.post("/desk/sign-in", data=stolen)).status_code == 403


async def test_a_planted_session_id_is_not_taken_over(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "supervisor")
    client.cookies.set("session", "planted" * 8)
    assert (await signed_in(client, who)).status_code == 303
    client.cookies.clear()
    client.cookies.set("session", "planted" * 8)
    assert (await client.get("/desk")).status_code == 303


async def test_a_disabled_account_is_out_at_once(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    who = await world.a_person(clock(), "supervisor")
    await signed_in(client, who)
    assert (await client.get("/desk")).status_code == 200
    await accounts.disable(who.person.id, act=await world.the_product(clock()))
    assert (await client.get("/desk")).status_code == 303


async def test_the_first_administrator_sets_a_password_once(
    client: httpx.AsyncClient, clock: StillClock
) -> None:
    product = await world.the_product(clock())
    new = accounts.NewAccount(login="first-admin", name="首位", kind="office", region=370000)
    account = await accounts.open_account(new, act=product)
    await accounts.assign_role(account, "sysadmin", region=370000, act=product)
    await accounts.make_link(account, "s" * 43, act=product)
    path = "/desk/first/" + "s" * 43
    form = await client.get(path)
    outline(form)
    assert form.headers["referrer-policy"] == "no-referrer"
    short = await client.post(path, data={"_csrf_token": csrf(form), "password": "short"})
    assert short.status_code == 422
    body = {"_csrf_token": csrf(form), "password": world.PASSWORD}
    done = await client.post(path, data=body)
    assert (done.status_code, done.headers["location"]) == (303, "/desk")
    assert "系统管理员" in (await client.get("/desk")).text
    client.cookies.clear()
    form = await client.get(path)
    again = await client.post(path, data={**body, "_csrf_token": csrf(form)})
    assert again.status_code == 404
    clock.tick(minutes=1)
    assert (await signed_in(client, world.Login(product.by, "first-admin"))).status_code == 303


async def test_an_old_link_opens_nothing(client: httpx.AsyncClient, clock: StillClock) -> None:
    who = await world.a_person(clock(), "supervisor")
    await accounts.make_link(who.person.id, "o" * 43, act=await world.the_product(clock()))
    clock.set(clock() + timedelta(hours=25))
    form = await client.get("/desk/first/" + "o" * 43)
    body = {"_csrf_token": csrf(form), "password": "another long password"}
    assert (await client.post("/desk/first/" + "o" * 43, data=body)).status_code == 404


def test_every_text_key_that_a_template_names_is_there() -> None:
    used = {
        key
        for file in TEMPLATES.rglob("*.html")
        for key in re.findall(r"\bt\('([a-z_.]+[a-z_])'", file.read_text("utf-8"))
    }
    assert used - set(words()) == set()
    assert {f"role.{role}" for role in policy.ROLES} <= set(words())
    assert all(both.zh and both.en for both in words().values())


def test_every_text_pair_of_the_tokens_can_be_read() -> None:
    """Contrast of at least 4.5 : 1 in light and dark (experience, visual language)."""
    css = style.sheet()[1].decode()
    light, dark = (
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", part))
        for part in css.split("@media (prefers-color-scheme: dark)", 1)
    )

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        line = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]

    def contrast(one: str, two: str) -> float:
        high, low = sorted((luminance(one), luminance(two)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for tokens in (light, dark):
        pairs = [
            (text, ground)
            for text in ("ink", "muted", "brand")
            for ground in ("canvas", "surface")
        ]
        pairs += [("brand", "brand-weak"), ("warn", "warn-weak"), ("danger", "danger-weak")]
        pairs += [("ok", "ok-weak"), ("on-brand", "brand"), ("ink", "danger-weak")]
        low = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in pairs}
        assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}

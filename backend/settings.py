"""The only reader of the environment: one frozen record, made once at the edge."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

Role = Literal["owner", "app", "worker", "public", "seq"]
ROLES: tuple[Role, ...] = ("owner", "app", "worker", "public", "seq")
FACES = ("field", "portal", "public", "desk")
LANES = ("direct", "tus")
VKEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")  # 33 bytes: kind and key
DUTIES = ("web", "worker", "scheduler")


class SettingsWrong(Exception):  # noqa: N818 - a sentence for the operator
    """A setting is missing or unreadable; the text names it and says what to do."""


class Database(msgspec.Struct, frozen=True):
    """Where PostgreSQL is, and one password per role; ``host`` may be a socket directory."""

    host: str
    port: int
    name: str
    passwords: dict[str, str]
    user_prefix: str = "mingcha_"

    def dsn(self, role: Role) -> str:
        """The libpq URI of one role; a socket directory travels in the query part."""
        user = f"{self.user_prefix}{role}:{quote(self.passwords[role], safe='')}"
        if self.host.startswith("/"):
            place = f"host={quote(self.host, safe='')}&port={self.port}"
            return f"postgresql://{user}@/{self.name}?{place}"
        return f"postgresql://{user}@{self.host}:{self.port}/{self.name}"


class Store(msgspec.Struct, frozen=True):
    """Where S3 is: ``endpoint`` for us, ``public_endpoint`` for phones (Host is signed)."""

    endpoint: str
    public_endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    prefix: str = "mingcha-"


class Settings(msgspec.Struct, frozen=True):
    """Everything one process needs to know; paths are absolute, ``origin`` has no last slash.

    ``app_minimum``: the oldest version of the phone's application that is given new tasks.
    ``lanes``: how bytes may come; with ``tus`` alone no page needs the object store's own host.
    ``spool`` is the folder of the weak-link lane on this ``host``, beside the keys unless said
    otherwise, ``spool_bytes`` its quota.
    ``mail_url`` (smtp or smtps) and ``sms_url`` (a gateway) take what goes outside; without one it
    is written into the folder ``outbox``. ``webhook_hosts`` alone may be called (host over https,
    host:port over http).
    ``clamd``: the virus scanner, ``unix:/path`` or ``host:port``; empty means not scanned.
    ``tsa_url`` is the one time-stamp authority that is ever asked, ``tsa_roots`` a PEM file of the
    certificates it is held to; ``witnesses`` are the keys of cosigning bureaus.
    ``tour`` is what the demo tells its guests; it is shown on a loopback address alone.
    """

    database: Database
    store: Store
    keys: Path
    origin: str
    faces: tuple[str, ...] = FACES
    duties: tuple[str, ...] = DUTIES
    evidence_mode: Literal["on", "off"] = "on"
    log_origin: str = "mingcha.invalid/log"
    pool_size: int = 10
    secure_cookies: bool = True
    lanes: tuple[str, ...] = ("direct", "tus")
    app_minimum: str = "0.1.0"
    spool: Path | None = None
    spool_bytes: int = 2 << 30
    host: str = "one"
    tsa_url: str = ""
    tsa_roots: Path | None = None
    witnesses: tuple[str, ...] = ()
    clamd: str = ""
    mail_url: str = ""
    mail_from: str = "mingcha@mingcha.invalid"
    sms_url: str = ""
    outbox: Path | None = None
    webhook_hosts: tuple[str, ...] = ()
    tour: Path | None = None

    @property
    def phone_folder(self) -> Path:
        """Where the build of the phone's application lies."""
        return Path(__file__).parent / "phone" / "dist"

    @property
    def site_folder(self) -> Path:
        """Where public pages are kept as files; they are made anew when they are gone."""
        return self.spool_folder.parent / "site"

    @property
    def outbox_folder(self) -> Path:
        """Where messages lie that no server or gateway takes."""
        return self.outbox or self.keys.parent / "outbox"

    @property
    def spool_folder(self) -> Path:
        """Where the spool is; web and worker of one host share it."""
        return self.spool or self.keys.parent / "spool"


def _need(env: Mapping[str, str], name: str) -> str:
    """The value of ``NAME``, or of the file that ``NAME_FILE`` names (secrets of a container)."""
    if file := env.get(f"{name}_FILE"):
        try:
            return Path(file).read_text("utf-8").strip()
        except OSError as fault:
            raise SettingsWrong(f"{name}_FILE: cannot read {file}: {fault.strerror}") from fault
    if value := env.get(name):
        return value
    raise SettingsWrong(f"{name} is not set; set it or {name}_FILE in the environment.")


def _names(env: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    values = tuple(part.strip() for part in env.get(name, ",".join(known)).split(",") if part)
    if unknown := sorted(set(values) - set(known)):
        raise SettingsWrong(f"{name}: unknown {unknown}; known are {', '.join(known)}.")
    return values


def _port(env: Mapping[str, str], name: str, default: str) -> int:
    text = env.get(name, default)
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise SettingsWrong(f"{name}: {text!r} is not a port.")
    return int(text)


def _witnesses(env: Mapping[str, str]) -> tuple[str, ...]:
    """Keys of witnesses, one line ``name+hash+key`` each, kept apart by spaces."""
    found = tuple(env.get("MINGCHA_WITNESSES", "").split())
    if bad := [one for one in found if not VKEY.fullmatch(one)]:
        raise SettingsWrong(f"MINGCHA_WITNESSES: {bad[0]!r} is no key; say name+hash+key.")
    return found


def _version(env: Mapping[str, str], name: str, default: str) -> str:
    text = env.get(name, default)
    if not re.match(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}\Z", text):
        raise SettingsWrong(f"{name}: {text!r} is no version such as 1.2.0.")
    return text


def _authority(env: Mapping[str, str]) -> tuple[str, Path | None]:
    """Address and roots of the time-stamp authority; none, or both."""
    url, roots = env.get("MINGCHA_TSA_URL", ""), env.get("MINGCHA_TSA_ROOTS", "")
    if bool(url) != bool(roots):
        raise SettingsWrong("MINGCHA_TSA_URL and MINGCHA_TSA_ROOTS go together; set both or none.")
    if url and not url.startswith(("http://", "https://")):
        raise SettingsWrong(f"MINGCHA_TSA_URL: {url!r} is no http or https address.")
    return url, Path(roots).absolute() if roots else None


def _address(env: Mapping[str, str], name: str, *schemes: str) -> str:
    """A URL of one of the schemes, or nothing."""
    text = env.get(name, "")
    if text and not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise SettingsWrong(f"{name}: {text!r} does not begin with {schemes[0]}://.")
    return text


def _scanner(env: Mapping[str, str]) -> str:
    address = env.get("MINGCHA_CLAMD", "")
    if address and not address.startswith("unix:/"):
        host, _, port = address.rpartition(":")
        if not host:
            raise SettingsWrong(f"MINGCHA_CLAMD: {address!r} is neither unix:/path nor host:port.")
        _port({"MINGCHA_CLAMD": port}, "MINGCHA_CLAMD", "")
    return address


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Read ``MINGCHA_*``; raises SettingsWrong with the name of what is missing."""
    env = os.environ if env is None else env
    roles: tuple[Role, ...] = tuple(
        role
        for role in ROLES
        if role != "owner"
        or "MINGCHA_DB_PASSWORD_OWNER" in env
        or "MINGCHA_DB_PASSWORD_OWNER_FILE" in env
    )
    mode = env.get("MINGCHA_EVIDENCE_MODE", "on")
    if mode not in ("on", "off"):
        raise SettingsWrong("MINGCHA_EVIDENCE_MODE: say on or off.")
    endpoint = _need(env, "MINGCHA_S3_ENDPOINT")
    tsa_url, tsa_roots = _authority(env)
    return Settings(
        database=Database(
            host=_need(env, "MINGCHA_DB_HOST"),
            port=_port(env, "MINGCHA_DB_PORT", "5432"),
            name=env.get("MINGCHA_DB_NAME", "mingcha"),
            passwords={role: _need(env, f"MINGCHA_DB_PASSWORD_{role.upper()}") for role in roles},
        ),
        store=Store(
            endpoint=endpoint,
            public_endpoint=env.get("MINGCHA_S3_PUBLIC_ENDPOINT", endpoint),
            access_key=_need(env, "MINGCHA_S3_ACCESS_KEY"),
            secret_key=_need(env, "MINGCHA_S3_SECRET_KEY"),
            region=env.get("MINGCHA_S3_REGION", "us-east-1"),
            prefix=env.get("MINGCHA_S3_PREFIX", "mingcha-"),
        ),
        keys=Path(_need(env, "MINGCHA_KEYS")).absolute(),
        origin=_need(env, "MINGCHA_ORIGIN").rstrip("/"),
        faces=_names(env, "MINGCHA_FACES", FACES),
        duties=_names(env, "MINGCHA_DUTIES", DUTIES),
        evidence_mode="on" if mode == "on" else "off",
        log_origin=env.get("MINGCHA_LOG_ORIGIN", "mingcha.invalid/log"),
        pool_size=int(env.get("MINGCHA_POOL_SIZE", "10")),
        secure_cookies=_need(env, "MINGCHA_ORIGIN").startswith("https://"),
        lanes=_names(env, "MINGCHA_LANES", LANES),
        app_minimum=_version(env, "MINGCHA_APP_MINIMUM", "0.1.0"),
        spool=Path(env["MINGCHA_SPOOL"]).absolute() if "MINGCHA_SPOOL" in env else None,
        spool_bytes=int(env.get("MINGCHA_SPOOL_BYTES", str(2 << 30))),
        host=env.get("MINGCHA_HOST", "one"),
        tsa_url=tsa_url,
        tsa_roots=tsa_roots,
        witnesses=_witnesses(env),
        clamd=_scanner(env),
        mail_url=_address(env, "MINGCHA_MAIL_URL", "smtp", "smtps"),
        mail_from=env.get("MINGCHA_MAIL_FROM", "mingcha@mingcha.invalid"),
        sms_url=_address(env, "MINGCHA_SMS_URL", "https", "http"),
        outbox=Path(env["MINGCHA_OUTBOX"]).absolute() if "MINGCHA_OUTBOX" in env else None,
        webhook_hosts=tuple(env.get("MINGCHA_WEBHOOK_HOSTS", "").split()),
        tour=Path(env["MINGCHA_TOUR"]).absolute() if env.get("MINGCHA_TOUR") else None,
    )


def to_environment(settings: Settings) -> dict[str, str]:
    """The ``MINGCHA_*`` variables that ``from_environment`` reads back as ``settings``."""
    database, store = settings.database, settings.store
    passwords = {
        f"MINGCHA_DB_PASSWORD_{role.upper()}": text for role, text in database.passwords.items()
    }
    return passwords | {
        "MINGCHA_DB_HOST": database.host,
        "MINGCHA_DB_PORT": str(database.port),
        "MINGCHA_DB_NAME": database.name,
        "MINGCHA_S3_ENDPOINT": store.endpoint,
        "MINGCHA_S3_PUBLIC_ENDPOINT": store.public_endpoint,
        "MINGCHA_S3_ACCESS_KEY": store.access_key,
        "MINGCHA_S3_SECRET_KEY": store.secret_key,
        "MINGCHA_S3_REGION": store.region,
        "MINGCHA_S3_PREFIX": store.prefix,
        "MINGCHA_KEYS": str(settings.keys),
        "MINGCHA_ORIGIN": settings.origin,
        "MINGCHA_FACES": ",".join(settings.faces),
        "MINGCHA_DUTIES": ",".join(settings.duties),
        "MINGCHA_EVIDENCE_MODE": settings.evidence_mode,
        "MINGCHA_LOG_ORIGIN": settings.log_origin,
        "MINGCHA_POOL_SIZE": str(settings.pool_size),
        "MINGCHA_LANES": ",".join(settings.lanes),
        "MINGCHA_APP_MINIMUM": settings.app_minimum,
        "MINGCHA_SPOOL": str(settings.spool_folder),
        "MINGCHA_SPOOL_BYTES": str(settings.spool_bytes),
        "MINGCHA_HOST": settings.host,
        "MINGCHA_CLAMD": settings.clamd,
        "MINGCHA_MAIL_URL": settings.mail_url,
        "MINGCHA_MAIL_FROM": settings.mail_from,
        "MINGCHA_SMS_URL": settings.sms_url,
        "MINGCHA_OUTBOX": str(settings.outbox_folder),
        "MINGCHA_WEBHOOK_HOSTS": " ".join(settings.webhook_hosts),
        "MINGCHA_TSA_URL": settings.tsa_url,
        "MINGCHA_TSA_ROOTS": str(settings.tsa_roots or ""),
        "MINGCHA_WITNESSES": " ".join(settings.witnesses),
        "MINGCHA_TOUR": str(settings.tour or ""),
    }

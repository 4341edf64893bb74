"""What speaks to the outside: a mail server and an SMS gateway, or files where none is named."""

import json
import smtplib
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from backend.services.notifications.outgoing import NotTaken

PATIENCE_S = 20
PORTS = {"smtp": 25, "smtps": 465}


class Files(msgspec.Struct, frozen=True):
    """Writes every message into a folder, one file each: nothing is lost, nobody is disturbed."""

    folder: Path

    def keep(self, name: str, raw: bytes) -> None:
        """Write one file; a repeat replaces it by the same."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(raw)


class Mouth(msgspec.Struct, frozen=True, kw_only=True):
    """Sends by what the operator named: ``mail_url`` (smtp or smtps), ``sms_url`` (a gateway)."""

    files: Files
    mail_from: str
    mail_url: str = ""
    sms_url: str = ""

    def sms(self, mobile: str, text: str, *, key: str) -> None:
        """Hand one short message to the gateway as JSON; raises NotTaken."""
        body = {"key": key, "mobile": mobile, "text": text}
        if not self.sms_url:
            raw = json.dumps(body, ensure_ascii=False).encode()
            self.files.keep(f"{key}.sms.json", raw)
            return
        try:
            answer = httpx.post(self.sms_url, json=body, timeout=PATIENCE_S)
        except httpx.HTTPError as fault:
            raise NotTaken(type(fault).__name__) from fault
        if not answer.is_success:
            raise NotTaken(f"HTTP {answer.status_code}")

    def mail(self, address: str, subject: str, text: str, *, key: str) -> None:
        """Hand one mail to the server; raises NotTaken."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.mail_from, address, subject
        letter["Date"] = formatdate()
        # The same id on a repeat: the reader's programme shows it once.
        letter["Message-ID"] = f"<{key}@{self.mail_from.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        if not self.mail_url:
            self.files.keep(f"{key}.eml", letter.as_bytes())
            return
        try:
            _post(self.mail_url, letter)
        except smtplib.SMTPResponseException as fault:
            raise NotTaken(f"SMTP {fault.smtp_code}") from fault
        except (smtplib.SMTPException, OSError) as fault:
            raise NotTaken(type(fault).__name__) from fault


def _post(url: str, letter: EmailMessage) -> None:
    place = urlsplit(url)
    kind = smtplib.SMTP_SSL if place.scheme == "smtps" else smtplib.SMTP
    port = place.port or PORTS[place.scheme]
    with kind(place.hostname or "", port, timeout=PATIENCE_S) as server:
        if kind is smtplib.SMTP and server.has_extn("starttls"):
            server.starttls()
        if place.username:
            server.login(unquote(place.username), unquote(place.password or ""))
        server.send_message(letter)

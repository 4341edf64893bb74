"""What the demo tells its guests: one login of each role, as a file beside the played year."""

from pathlib import Path

import msgspec

from seed.report import ROLES, Report

CODES = {words: code for code, words in ROLES.items()}


def lay(told: Report, file: Path) -> Path:
    """Write logins by role and their one password; the file."""
    logins = [
        {"login": one.login, "role": CODES[one.role], "office": one.office} for one in told.logins
    ]
    file.write_bytes(msgspec.json.encode({"password": told.password, "logins": logins}))
    return file

"""What a backup or a restore refuses; every code is worded in ``texts/problems/backup.yaml``."""

from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family


class TargetBusy(ServiceRefusal):
    """Another backup is being written into this folder."""

    code = "backup.target_busy"
    family = Family.CONFLICT


class HiddenRows(ServiceRefusal):
    """Row-level security would hide rows from the owner: the dump would be silently partial."""

    code = "backup.hidden_rows"
    family = Family.CONFLICT


class ToolFailed(ServiceRefusal):
    """pg_dump or pg_restore ended with an error; ``facts.said`` is what it said."""

    code = "backup.tool_failed"
    family = Family.UNAVAILABLE


class NoSet(ServiceRefusal):
    """The folder holds no complete backup of this name."""

    code = "backup.no_set"
    family = Family.ABSENT


class SetBroken(ServiceRefusal):
    """A file of the backup is missing or is not what its manifest says."""

    code = "backup.set_broken"
    family = Family.CONFLICT


class KeysInside(ServiceRefusal):
    """Keys lie outside the backup: whoever finds the one must not have the other."""

    code = "backup.keys_inside"


class PassphraseWrong(ServiceRefusal):
    """The passphrase does not open the file of keys, or the file is damaged."""

    code = "backup.passphrase_wrong"
    family = Family.DENIED


class PassphraseShort(ServiceRefusal):
    """A passphrase that guards all keys has twelve characters or more."""

    code = "backup.passphrase_short"


class KeysOther(ServiceRefusal):
    """These are not the keys of the office that was backed up."""

    code = "restore.keys_other"
    family = Family.CONFLICT


class NotEmpty(ServiceRefusal):
    """A restore goes into a folder that holds nothing."""

    code = "restore.not_empty"
    family = Family.CONFLICT


class OtherOrigin(ServiceRefusal):
    """The backed-up log has another origin than an embedded office's."""

    code = "restore.other_origin"
    family = Family.CONFLICT


class Differs(ServiceRefusal):
    """What was restored is not what was backed up."""

    code = "restore.differs"
    family = Family.CONFLICT

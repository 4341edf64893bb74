"""Protocol bugs as changes of the source: file, exact text, other text.

A text that is no longer there exactly once fails the gate: the bug has to be seeded anew.
Source: evidence spec 13 (mutation gate).
"""

from dataclasses import dataclass

SERVICES = "backend/services"
MIGRATIONS = "backend/db/piccolo_migrations"
BEGAN = f"{MIGRATIONS}/mingcha_2026_11_21t09_00_00_000000.py"
DOUBTS = f"{MIGRATIONS}/mingcha_2026_11_21t16_10_00_000000.py"


@dataclass(frozen=True)
class Patch:
    """Replace ``old``, which stands exactly once in ``file``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutation:
    """One bug: its name, what goes wrong, and the patches that seed it."""

    name: str
    bug: str
    patches: tuple[Patch, ...]


def _one(name: str, bug: str, file: str, old: str, new: str) -> Mutation:
    return Mutation(name, bug, (Patch(file, old, new),))


OPERATIONS = (
    Mutation(
        "no_dedup",
        "an operation sent again has its effect again",
        (
            Patch(f"{SERVICES}/op_runs.py", 'if found["known"]:', "if not found:"),
            Patch(
                f"{SERVICES}/op_runs.py",
                "$11::bytea[]) as t (op_id, inst_epoch, seq, kind, digest, envelope, result)),",
                "$11::bytea[]) as t (op_id, inst_epoch, seq, kind, digest, envelope, result)\n"
                "  on conflict do nothing),",
            ),
        ),
    ),
    _one(
        "ack_before_commit",
        "an answer leaves although the transaction was lost",
        "backend/db/engine.py",
        "                await self.commit()  # type",
        "                with suppress(Exception):\n"
        "                    await self.commit()  # type",
    ),
    _one(
        "duplicate_steals_attachment",
        "a second declaration takes over the row of the first",
        f"{SERVICES}/evidence.py",
        "on conflict (id) do nothing returning flags",
        "on conflict (id) do update set visit = excluded.visit, dev = excluded.dev,"
        " manifest = excluded.manifest, sha256 = excluded.sha256 returning flags",
    ),
    _one(
        "digest_ignored",
        "another operation under a known id is told as its duplicate",
        f"{SERVICES}/op_kinds.py",
        'return bool(known["digest"] == envelope.digest and ',
        "return bool(",
    ),
    _one(
        "body_not_held_against_digest",
        "a body that was changed after the signature is taken",
        "media/ops.py",
        "if sha256(envelope.body).hexdigest() != envelope.digest:",
        "if not envelope.digest:",
    ),
    _one(
        "seq_reused",
        "a device's number may be used twice",
        BEGAN,
        "constraint uq_op_dev_seq unique (dev, inst_epoch, seq)",
        "constraint uq_op_dev_seq unique (dev, inst_epoch, seq, op_id)",
    ),
    _one(
        "older_answer_wins",
        "an answer that arrives late overwrites a later one",
        f"{SERVICES}/answers.py",
        "where (answer.wave, answer.seq) < (excluded.wave, excluded.seq)",
        "where true",
    ),
    _one(
        "older_finalize_overwrites",
        "a claim that arrives late overwrites a later one",
        f"{SERVICES}/visits.py",
        "where (claim.wave, claim.seq) < (excluded.wave, excluded.seq) and claim",
        "where claim",
    ),
    _one(
        "stale_epoch_owns_visit",
        "an operation of an old assignment has its effect",
        f"{SERVICES}/deeds.py",
        "STALE: asg_epoch != site.assignment_epoch\n"
        "        or site.assignment_epoch < site.epoch\n        or ",
        "STALE: ",
    ),
    _one(
        "dead_letter_blocks_queue",
        "a refused operation is to be sent again for ever",
        f"{SERVICES}/ops.py",
        '    return Told(str(op_id or ""), "rejected", Raw(msgspec.json.encode(outcome)))',
        '    return Told(str(op_id or ""), "retry", after_s=RETRY_S)',
    ),
    _one(
        "refused_op_is_dropped",
        "what was refused unread is not kept",
        f"{SERVICES}/ops.py",
        "if await dead_letters.bury(raw, refusal.code, act=act, op_id=op_id):",
        "if op_id is not None:",
    ),
    _one(
        "result_not_stored",
        "a duplicate is told other bytes than the first time",
        f"{SERVICES}/op_runs.py",
        'Raw(known[op_id]["result"])',
        'Raw(known[op_id]["result"].replace(b",", b", "))',
    ),
)

COMPLETION = (
    Mutation(
        "finalize_early",
        "a visit is complete with its claim",
        (
            Patch(
                f"{SERVICES}/visits.py",
                "state = $2 and not exists (select from visit_missing($1))\nfor",
                "state = $2\nfor",
            ),
            Patch(
                f"{SERVICES}/visits.py",
                "\n  and not exists (select from visit_missing($1)) returning region",
                " returning region",
            ),
        ),
    ),
    _one(
        "colleague_not_required",
        "a listed capture of a phone that has not spoken is not waited for",
        DOUBTS,
        "where c.visit = wanted and c.closed_by is null and not exists (",
        "where c.visit = wanted and c.closed_by is null and exists (select from evidence x\n"
        "      where x.id = (i ->> 'id')::uuid) and not exists (",
    ),
    _one(
        "answers_not_compared",
        "the claim's digest of answers is not held against them",
        DOUBTS,
        "and c.answers_sha256 <> encode(",
        "and c.answers_sha256 = '' and c.answers_sha256 <> encode(",
    ),
    _one(
        "unclaimed_device_ignored",
        "a phone that owes a claim does not hold the visit",
        DOUBTS,
        "where not exists (select from claim c where c.visit = wanted and c.dev = d.dev)",
        "where not exists (select from claim c where c.visit = wanted)",
    ),
    _one(
        "late_item_merged",
        "what comes after the signature is not told apart",
        f"{SERVICES}/evidence.py",
        "site.state in LATE,",
        "False,",
    ),
    _one(
        "second_finalize_reopens",
        "a claim for a complete record takes it back",
        f"{SERVICES}/visits.py",
        'if site.state in SIGNED:\n        return Effect(object_id=site.id, flags=("after',
        'if site.state == "":\n        return Effect(object_id=site.id, flags=("after',
    ),
    _one(
        "completion_lost",
        "the last capture's proof does not look at its visit",
        f"{SERVICES}/settling.py",
        "await visits.complete_if_ready(found.visit, act=act, rules=rules)",
        "await visits.hold(found.visit)",
    ),
)

EVIDENCE = (
    Mutation(
        "client_hash_trusted",
        "the declared hash is believed",
        (
            Patch(
                f"{SERVICES}/examination.py",
                "if (hashed.sha256, hashed.size) != (piece.sha256, piece.size):",
                "if hashed.size != piece.size:",
            ),
            Patch("media/bucket.py", "if found.sha256 != sha256_hex:", "if not sha256_hex:"),
        ),
    ),
    _one(
        "verified_before_copy",
        "a piece counts as proved though no original was made",
        f"{SERVICES}/settling.py",
        "held = lab.bucket.promote(\n        piece.object_key,\n        version=piece.version,\n"
        "        sha256_hex=piece.sha256,\n        retain_until=retain_until,\n    )",
        "held = lab.bucket.head(Room.QUARANTINE, piece.object_key, piece.version)",
    ),
    _one(
        "revoked_key_verified",
        "a revoked key goes on vouching",
        f"{SERVICES}/settling.py",
        'reason = "revoked_key" if late or ',
        'reason = "" if late or ',
    ),
    _one(
        "duplicate_audit_entry",
        "two who say complete at once are two entries",
        f"{SERVICES}/arrivals.py",
        "select t.region, t.leaf, t.body from t join moved using (id)",
        "select t.region, t.leaf, t.body from t",
    ),
    _one(
        "leaf_outside_transaction",
        "the entry of a proof is written before, and stays when the proof fails",
        f"{SERVICES}/settling.py",
        '    """Write that a piece is verified, with its previews;'
        ' its visit may be complete then."""\n',
        '    """Write it."""\n    async with DB.transaction(act.by.scope):\n'
        '        await record(found, "evidence.verified", act)\n',
    ),
    _one(
        "effect_without_entry",
        "an operation that goes by itself has no entry",
        f"{SERVICES}/ops.py",
        "insert into aud.entry (region, leaf, body) values ($2, $13, $14)",
        "insert into aud.entry (region, leaf, body) select $2, $13, $14::jsonb where false",
    ),
    _one(
        "purge_on_received",
        "a phone frees bytes when the server has received them",
        "tests/faults/lanes.py",
        "    kept.sent = kept.state not in AWAITED\n    return kept.sent\n",
        "    kept.sent = kept.state not in AWAITED\n"
        "    kept.sealed_ms = phone.server_ms if kept.sent else None\n    return kept.sent\n",
    ),
)

UPLOADS = (
    _one(
        "offset_before_data",
        "the offset is promised before the bytes are on the disk",
        f"{SERVICES}/uploads.py",
        "        await _write(row, data, act=act, spool=spool)\n"
        "        taken = offset + len(data)\n"
        "        async with DB.transaction(act.by.scope):\n",
        "        taken = offset + len(data)\n"
        "        async with DB.transaction(act.by.scope):\n"
        "            await DB.connection.execute(TAKE, evidence_id, offset, taken, act.at)\n"
        "        await _write(row, data, act=act, spool=spool)\n"
        "        async with DB.transaction(act.by.scope):\n"
        "            await DB.connection.execute(\n"
        '                "update upload set taken = $2 where evidence = $1", evidence_id, offset\n'
        "            )\n",
    ),
    _one(
        "spool_not_cut",
        "bytes go behind whatever a kill left in the spool",
        "media/spool.py",
        "os.ftruncate(handle, inside)\n            _put(handle, inside, chunk)",
        "_put(handle, os.fstat(handle).st_size, chunk)",
    ),
    _one(
        "offset_unchecked",
        "a chunk is taken wherever it says it belongs",
        f"{SERVICES}/uploads.py",
        'raise WrongOffset(field="Upload-Offset", offset=row.taken)',
        "return",
    ),
    _one(
        "partial_blob_visible",
        "an object of another size counts as received",
        f"{SERVICES}/forwarding.py",
        "            if upload.stored + size > upload.taken:\n                return\n",
        "            size = min(size, upload.taken - upload.stored)\n",
    ),
    _one(
        "whole_upload_expires",
        "an upload that waits for the worker is ended after a week",
        f"{SERVICES}/uploads.py",
        "state = 'open' and taken < size and touched_at < $1",
        "state = 'open' and touched_at < $1",
    ),
    _one(
        "forward_forgets",
        "the spool is cleared before the row knows that the store has the bytes",
        f"{SERVICES}/forwarding.py",
        "        await asyncio.to_thread(bucket.put_waiting, found",
        "        await asyncio.to_thread(spool.clear, ident)\n"
        "        await asyncio.to_thread(bucket.put_waiting, found",
    ),
)

PARTS = (
    _one(
        "stale_part",
        "of a part that was sent twice the older one is taken",
        "media/rooms.py",
        "if at > known:",
        "if not known or at < known:",
    ),
)

MACHINERY = (
    _one(
        "sequencer_skips_open",
        "an entry is placed while an older transaction is open",
        f"{SERVICES}/sequencer.py",
        "and (xid < pg_snapshot_xmin(pg_current_snapshot())\n"
        "    or xid >= pg_snapshot_xmax(pg_current_snapshot()))",
        "and true",
    ),
    _one(
        "receipt_before_seal",
        "a receipt is signed over the place of another entry",
        f"{SERVICES}/sequencer.py",
        'index = row["tree_index"]\n',
        "index = newest.size - 1\n",
    ),
    _one(
        "receipt_of_received",
        "a receipt is given for what was not proved",
        f"{SERVICES}/sequencer.py",
        "from evidence e join aud.entry a on a.id = e.entry\nwhere e.state = 'verified'",
        "from evidence e join aud.entry a on a.body -> 'object' ->> 'id' = e.id::text\n"
        "  and a.body ->> 'verb' = 'evidence.received'\nwhere e.state in ('received', 'verified')",
    ),
    _one(
        "job_done_before_effect",
        "a task is finished before its work",
        f"{SERVICES}/tasks.py",
        "set locked_until = $2::timestamptz + make_interval(secs => $3), attempts",
        "set done_at = $2, locked_until = $2::timestamptz + make_interval(secs => $3), attempts",
    ),
    _one(
        "lease_for_ever",
        "a task whose worker died is not taken again",
        f"{SERVICES}/tasks.py",
        "and (locked_until is null or locked_until < $2) and attempts",
        "and locked_until is null and attempts",
    ),
)

ISOLATION = (
    _one(
        "scope_unset",
        "a transaction keeps no scope to itself: everybody's regions are seen",
        "backend/db/engine.py",
        'regions = ",".join(str(int(code)) for code in scope.regions)',
        'regions = ",".join(map(str, scope.regions and (370000, 370100, 371000, 140000, 140100)))',
    ),
    _one(
        "wrong_region_visible",
        "the policy of visits and evidence looks at nothing",
        BEGAN,
        "create policy p_scope on {table} to mingcha_app, mingcha_worker using ({test}) with",
        "create policy p_scope on {table} to mingcha_app, mingcha_worker using (true) with",
    ),
    _one(
        "foreign_piece_taken",
        "a piece may be completed by any phone that names it",
        f"{SERVICES}/evidence.py",
        "    if not (mine or ours):\n        raise Absent\n    return found",
        "    return found",
    ),
)

REPLIES = (
    _one(
        "reply_sent_twice",
        "a reply that is sent again gets another receipt",
        f"{SERVICES}/replies.py",
        'drafts = [dict(row) for row in rows if row["state"] == "draft"]',
        "drafts = [dict(row) for row in rows]",
    ),
    _one(
        "draft_overwritten",
        "a draft that was saved is answered before it is kept",
        f"{SERVICES}/replies.py",
        "on conflict (id) do nothing returning id\n",
        "on conflict (id) do update set text = reply.text || ' ' returning id\n",
    ),
)

MUTATIONS = (
    *OPERATIONS,
    *COMPLETION,
    *EVIDENCE,
    *UPLOADS,
    *PARTS,
    *MACHINERY,
    *ISOLATION,
    *REPLIES,
)

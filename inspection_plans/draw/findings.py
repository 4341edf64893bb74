"""What the verifier can say, code by code, in English and Chinese; nothing else names a code.

A code is `check.what`; `CHECKS` are the checks in the order of a report, `FINDINGS` what is
wrong, `NOTES` what no record can prove. Words in braces are facts of the finding. The Chinese
stands here and not in a text file, because the verifier is one file without others beside it.
"""

from __future__ import annotations

from typing import NamedTuple

LANGUAGES = ("zh", "en")
_LONGEST = 90  # characters of one fact in a sentence; a forger chooses its length

CHECKS: dict[str, tuple[str, str]] = {
    "shape": ("fields of the record", "记录的字段"),
    "chain": ("chain of the log", "日志的哈希链"),
    "heads": ("heads kept by witnesses", "见证人保存的日志链头"),
    "signatures": ("keys and signatures of the parties", "各方的公钥与签名"),
    "year": ("draws announced for the year", "年度预告的抽取"),
    "attempts": ("order, parties and secrets of each attempt", "各次抽取的顺序、参与方与随机数"),
    "plan": ("plan announced", "预告的计划"),
    "level": ("level of the draw", "抽取的等级"),
    "frames": ("frozen frames", "冻结的名录"),
    "result": ("replay of the draw", "按记录重新抽取"),
    "totals": ("totals and thresholds", "各层合计与门槛"),
    "exclusions": ("exclusions", "排除的对象"),
    "sealed": ("events sealed until the disclosure", "公开前封存的事项"),
    "withdrawals": ("withdrawals", "撤出的对象"),
    "returned": ("return of those withdrawn", "上次撤出者列入本次必查"),
    "reserves": ("replacements", "递补"),
    "supplements": ("supplements of inspectors", "补充的执法人员"),
    "substitutes": ("substitutes", "替换的执法人员"),
    "persons": ("licences behind the pseudonyms", "代号对应的执法证"),
    "openings": ("rows opened alone", "单独公开的名录行"),
    "external": ("draw made elsewhere", "外部平台的抽取"),
}

FINDINGS: dict[str, tuple[str, str]] = {
    "shape.field": (
        "the field {field} is missing or of another kind",
        "字段 {field} 缺失或类型不对",
    ),
    "shape.extra": ("the record has a field {field} of no meaning", "记录中有多余的字段 {field}"),
    "chain.empty": ("the log is empty", "日志为空"),
    "chain.fields": ("entry {seq} has other fields than a log entry", "第 {seq} 条日志的字段不对"),
    "chain.number": ("entry {seq} is numbered {found}", "第 {seq} 条日志的编号是 {found}"),
    "chain.link": (
        "entry {seq} does not follow the entry before it",
        "第 {seq} 条日志没有接在前一条之后",
    ),
    "chain.hash": ("entry {seq} was changed after it was written", "第 {seq} 条日志写入后被改动"),
    "chain.time": (
        "entry {seq} has a time before its predecessor's, or none",
        "第 {seq} 条日志的时间早于前一条或缺失",
    ),
    "chain.body": (
        "entry {seq} of type {type} lacks {missing}",
        "第 {seq} 条日志（{type}）缺少 {missing}",
    ),
    "heads.missing": (
        "the head {head} that was countersigned is not in this log",
        "已签名确认的链头 {head} 不在本日志中",
    ),
    "signatures.keys": (
        "attempt {attempt}: the freeze does not name one key for each party",
        "第 {attempt} 次抽取：冻结时没有为每一方各写明一个公钥",
    ),
    "signatures.shared": (
        "attempt {attempt}: two parties have one key and are one party",
        "第 {attempt} 次抽取：两方使用同一公钥，实为一方",
    ),
    "signatures.other_key": (
        "attempt {attempt}: the key of {party} is not the one you gave",
        "第 {attempt} 次抽取：{party} 的公钥与您给出的不同",
    ),
    "signatures.commit": (
        "attempt {attempt}: the commitment of {party} is not signed by its key",
        "第 {attempt} 次抽取：{party} 的承诺没有其公钥的有效签名",
    ),
    "signatures.form": (
        "a countersignature has other fields than party, head and signature",
        "有一项确认签名的字段不对",
    ),
    "signatures.stranger": (
        "{party} countersigned and is no party of this draw",
        "{party} 签名确认，但不是本次抽取的参与方",
    ),
    "signatures.head": (
        "{party} countersigned a head that does not stand in the log before",
        "{party} 签名确认的链头不在此前的日志中",
    ),
    "signatures.bad": (
        "the signature of {party} over the head {head} is not that of its key",
        "{party} 对链头 {head} 的签名与其公钥不符",
    ),
    "signatures.order": (
        "the countersignatures are not in the order of the log, or twice",
        "确认签名没有按日志顺序排列或重复",
    ),
    "signatures.end": (
        "nobody countersigned the last entry about this draw",
        "本次抽取的最后一条日志没有任何一方签名确认",
    ),
    "year.unannounced": (
        "the draw {draw} is not among the draws announced for the year",
        "抽取 {draw} 不在年度预告之内",
    ),
    "year.late": ("the draw {draw} was announced after it began", "抽取 {draw} 开始之后才预告"),
    "year.twice": ("the year announces a draw twice", "年度预告中有一次抽取重复"),
    "year.numbers": (
        "the draws of the year are numbered {numbers}, not 1, 2, 3 and so on",
        "年度抽取的编号是 {numbers}，不是从 1 起连续编号",
    ),
    "year.overdue": (
        "the draw {draw} was due on {due} and has no result",
        "抽取 {draw} 应于 {due} 前完成，但没有结果",
    ),
    "year.same_plan": (
        "the draws {draws} have one plan between them",
        "抽取 {draws} 使用同一份计划",
    ),
    "attempts.numbers": ("the attempts are numbered {numbers}", "各次抽取的编号是 {numbers}"),
    "attempts.stray": (
        "entry {seq} belongs to an attempt that was never opened",
        "第 {seq} 条日志属于一次从未开启的抽取",
    ),
    "attempts.ends": (
        "attempt {attempt} has {count} ends, not one result or one void",
        "第 {attempt} 次抽取有 {count} 个结局，应当只有一个结果或一次作废",
    ),
    "attempts.overlap": (
        "attempt {attempt} ended after the next attempt began",
        "第 {attempt} 次抽取在下一次开启后才结束",
    ),
    "attempts.red": (
        "RED: attempt {attempt} was made void after all secrets were known",
        "红色警示：第 {attempt} 次抽取在所有随机数已知后被作废",
    ),
    "attempts.single": (
        "attempt {attempt} has {count} entries of type {type}, not one",
        "第 {attempt} 次抽取有 {count} 条 {type} 日志，应当只有一条",
    ),
    "attempts.order": (
        "attempt {attempt}: an entry {first} came after {then}",
        "第 {attempt} 次抽取：{first} 日志出现在 {then} 之后",
    ),
    "attempts.no_party": (
        "attempt {attempt} names no party, or one twice",
        "第 {attempt} 次抽取没有写明参与方或重复",
    ),
    "attempts.parties": (
        "attempt {attempt}: the parties of {type} are not those of the freeze",
        "第 {attempt} 次抽取：{type} 的各方与冻结时写明的不一致",
    ),
    "attempts.stranger": (
        "attempt {attempt}: somebody revealed who is no party",
        "第 {attempt} 次抽取：有非参与方公开了随机数",
    ),
    "attempts.commitment": (
        "attempt {attempt}: the secret of {party} does not open its commitment",
        "第 {attempt} 次抽取：{party} 的随机数与其承诺不符",
    ),
    "attempts.revealed": (
        "attempt {attempt}: the secret of {party} is not the one revealed",
        "第 {attempt} 次抽取：{party} 的随机数不是当时公开的那个",
    ),
    "attempts.entropy": (
        "attempt {attempt}: the entropy used is not the entropy announced at the freeze",
        "第 {attempt} 次抽取：所用的公共随机源不是冻结时写明的",
    ),
    "attempts.source": (
        "attempt {attempt}: {source} is no known source of entropy",
        "第 {attempt} 次抽取：{source} 不是认可的公共随机源",
    ),
    "attempts.dice": (
        "attempt {attempt}: dice need at least {least} digits",
        "第 {attempt} 次抽取：骰子点数至少要有 {least} 位",
    ),
    "attempts.witnesses": (
        "attempt {attempt}: dice need two named witnesses",
        "第 {attempt} 次抽取：掷骰需要两名具名见证人",
    ),
    "attempts.other_plan": (
        "attempt {attempt} has another plan than the attempt before",
        "第 {attempt} 次抽取的计划与上一次不同",
    ),
    "attempts.other_frame": (
        "attempt {attempt} has another frame of {frame} than the attempt before",
        "第 {attempt} 次抽取的 {frame} 名录与上一次不同",
    ),
    "attempts.admitted": (
        "attempt {attempt} admits {party}, who had made the one before void",
        "第 {attempt} 次抽取仍有 {party} 参加，而它使上一次作废",
    ),
    "attempts.second": (
        "attempt {attempt} is a second {stage} for one plan",
        "第 {attempt} 次抽取是同一计划的第二次 {stage}",
    ),
    "attempts.needless": (
        "attempt {attempt} was opened although everything was drawn",
        "已全部抽出后又开启了第 {attempt} 次抽取",
    ),
    "attempts.no_result": ("the draw has no result", "本次抽取没有结果"),
    "plan.digest": (
        "the plan is not the one that attempt {attempt} announced",
        "计划不是第 {attempt} 次抽取预告的那份",
    ),
    "level.reason": (
        "one party with nothing but its own numbers, and the plan gives no reason for that",
        "只有一方且只用自己的随机数，而计划没有说明理由",
    ),
    "frames.root": (
        "the frame of {frame} is not the one that was frozen",
        "{frame} 名录不是冻结的那份",
    ),
    "frames.rows": (
        "the rows of {frame} are not in the order of their ids",
        "{frame} 名录没有按编号排列",
    ),
    "frames.order": (
        "the blocked pairs are not in the order of their bytes",
        "回避名单没有按字节顺序排列",
    ),
    "frames.blocked": (
        "the blocked pairs are not those that were frozen",
        "回避名单不是冻结的那份",
    ),
    "result.none": ("there is no result to replay", "没有可以重新抽取的结果"),
    "result.other": ("the seed gives another {part}", "按种子重新抽取得到不同的 {part}"),
    "result.noted": ("the log noted another {part} at the result", "结果日志记下的 {part} 不同"),
    "result.first": ("the first result noted another selection", "第一次结果记下的抽取对象不同"),
    "totals.sum": (
        "the totals of the stratum {stratum} do not add up",
        "{stratum} 层的合计前后不符",
    ),
    "totals.frame": (
        "the totals are not those of the plan's strata and of the frozen frame",
        "合计与计划的分层或冻结的名录不符",
    ),
    "totals.target": (
        "the plan gives the stratum {stratum} another target",
        "按计划 {stratum} 层应抽数量不同",
    ),
    "totals.noted": ("the log noted other totals at the result", "结果日志记下的合计不同"),
    "exclusions.reason": (
        "{object} is excluded for {reason}, which is no listed reason",
        "{object} 以 {reason} 排除，不属于规定事由",
    ),
    "exclusions.no_ceiling": (
        "{count} rows are excluded by hand and the plan names no ceiling",
        "人工排除 {count} 个，而计划没有规定上限",
    ),
    "exclusions.too_many": (
        "{count} rows are excluded by hand, more than the plan allows",
        "人工排除 {count} 个，超过计划规定的上限",
    ),
    "exclusions.noted": (
        "the freeze noted other numbers of exclusions",
        "冻结时记下的排除数量不同",
    ),
    "sealed.numbers": (
        "the sealed events {numbers} are misnumbered or not all opened in their order",
        "封存事项 {numbers} 编号不对，或没有按顺序全部公开",
    ),
    "sealed.other": (
        "sealed event {number} was opened as something else",
        "第 {number} 项封存事项公开的内容与封存时不符",
    ),
    "withdrawals.not_drawn": (
        "{object} was withdrawn and was not drawn, or twice",
        "{object} 未被抽中却被撤出，或重复撤出",
    ),
    "withdrawals.reason": (
        "{object} was withdrawn for {reason}, no listed reason",
        "{object} 以 {reason} 撤出，不属于规定事由",
    ),
    "withdrawals.second": (
        "{object} was withdrawn without a second person",
        "撤出 {object} 没有第二人签字",
    ),
    "withdrawals.evidence": ("{object} was withdrawn without evidence", "撤出 {object} 没有证据"),
    "withdrawals.too_many": (
        "{count} objects were withdrawn, the plan allows {limit}",
        "撤出 {count} 个，计划只允许 {limit} 个",
    ),
    "returned.missing": (
        "{object} was withdrawn from {before} and had to be drawn this time",
        "{object} 在 {before} 中撤出，本次应列为必查",
    ),
    "reserves.nobody": (
        "{object} replaces {away}, who was not withdrawn from its stratum",
        "{object} 递补 {away}，而后者并未从该层撤出",
    ),
    "reserves.order": ("{object} is not the next of the reserve", "{object} 不是递补名单的下一个"),
    "reserves.link": (
        "the key that replaces {away} is not the next of the committed chain",
        "递补 {away} 所用的密钥不是预先承诺的密钥链的下一个",
    ),
    "reserves.session": (
        "{object} is not the next session of the class of {away}",
        "{object} 不是 {away} 所在班次的下一次课",
    ),
    "supplements.missing": (
        "attempt {attempt} has other inspectors and nobody was added by the log",
        "第 {attempt} 次抽取的执法人员有变，日志中却没有补充记录",
    ),
    "supplements.rows": (
        "{inspector} was added by the log and is not in the frame like that",
        "日志补充的 {inspector} 与名录中的不一致",
    ),
    "supplements.count": (
        "the frame of inspectors grew by {found}, the log added {added}",
        "执法人员名录增加 {found} 人，日志补充 {added} 人",
    ),
    "substitutes.other": (
        "substitution {event} at {visit} is not the one the seed gives",
        "{visit} 的第 {event} 号替换不是按种子得出的",
    ),
    "persons.unknown": (
        "{inspector} was opened and was not sent",
        "公开了 {inspector} 的执法证，而此人并未派出",
    ),
    "persons.proof": (
        "the licence of {inspector} is not the one committed in the frame",
        "{inspector} 的执法证与名录中的承诺不符",
    ),
    "openings.form": (
        "a row opened alone has other fields than it should",
        "单独公开的名录行字段不对",
    ),
    "openings.order": (
        "the rows opened alone are not in their order, or twice",
        "单独公开的名录行没有按顺序排列或重复",
    ),
    "openings.proof": (
        "{row} does not stand in the frozen frame of {frame} as it was opened",
        "{row} 与冻结的 {frame} 名录不符",
    ),
    "external.form": (
        "the log does not tell where the draw was made",
        "日志没有写明抽取在何处进行",
    ),
    "external.visits": (
        "the visits are not those that were entered",
        "检查对象不是当时录入的那些",
    ),
}

UNREADABLE = ("cannot be read: {why}", "无法读取：{why}")

NOTES: dict[str, tuple[str, str]] = {
    "note.beacon": (
        "that a beacon, a lottery or dice gave the values entered",
        "公共随机源、彩票或骰子确实给出了录入的数值",
    ),
    "note.independent": (
        "that the parties are independent and the keys are theirs",
        "各方相互独立，公钥确属各方",
    ),
    "note.facts": ("that the rows of the frames are true", "名录内容属实"),
    "note.times": ("that the times of the log were those of the clock", "日志时间与真实时间一致"),
    "note.head": (
        "that this is the log whose head was countersigned: no head was given",
        "没有给出见证人保存的链头，无法确认这就是当时的日志",
    ),
    "note.freeze": (
        "that {parties} saw the freeze: no countersignature between freeze and result",
        "{parties} 在冻结与结果之间没有签名确认，无法证明其见过冻结内容",
    ),
    "note.signed": (
        "that {parties} saw the result: no countersignature after it",
        "{parties} 在结果之后没有签名确认，无法证明其见过结果",
    ),
    "note.teams": (
        "the teams of the first sending: its frame was supplemented since",
        "第一次派组的结果：其名录后来有补充",
    ),
    "note.limit": (
        "the number of withdrawals: the plan names no limit",
        "撤出数量：计划没有规定上限",
    ),
    "note.rows": (
        "rows, teams and days: the sealed profile shows only totals and opened rows",
        "名录各行、检查组与日期：密封记录只公开合计与单独公开的行",
    ),
    "note.external": (
        "the draw itself: it was made on {platform} and cannot be verified",
        "抽取本身：在 {platform} 上进行，无法验证",
    ),
}

VERDICTS: dict[str, tuple[str, str]] = {
    "verified": ("verified: everything checked holds", "验证通过：所查各项均成立"),
    "failed": ("NOT verified: something does not hold", "验证不通过：有内容不成立"),
    "unverifiable": (
        "unverifiable: made elsewhere, entered by hand",
        "无法验证：外部平台抽取，人工录入",
    ),
}

STANDINGS: dict[str, tuple[str, str]] = {
    "excluded": ("in the frame, excluded by rule", "在名录中，按规定排除"),
    "must": ("in the frame, drawn because it had to be", "在名录中，列为必查"),
    "certain": ("in the frame, drawn: its weight made it certain", "在名录中，因权重必然抽中"),
    "drawn": (
        "in the frame, drawn: its ticket lies under the threshold",
        "在名录中，抽签值低于门槛，抽中",
    ),
    "not_drawn": (
        "in the frame, not drawn: its ticket lies over the threshold",
        "在名录中，抽签值高于门槛，未抽中",
    ),
}

HEADINGS: dict[str, tuple[str, str]] = {
    "level": ("level", "等级"),
    "unchecked": ("what nobody can tell from a record alone", "仅凭记录无法核验的内容"),
    "rows": ("rows opened alone", "单独公开的名录行"),
    "head": (
        "head of the log; compare it with the printed notice",
        "日志链头，请与公示文书上印的核对",
    ),
    "key": ("public key", "公钥"),
    "unreadable": ("this is no record of a draw: {why}", "这不是抽取记录：{why}"),
    "undisclosed": (
        "this draw is not disclosed yet: there is nothing to replay",
        "本次抽取尚未公开，没有可以重新抽取的内容",
    ),
}

LEVEL_WORDS: dict[str, tuple[str, str]] = {
    "A": ("several parties and public entropy", "多方参与并有公共随机源"),
    "B": ("several parties", "多方参与"),
    "C": ("one party and entropy it cannot influence", "一方参与，另有其无法左右的随机源"),
    "D": ("one party with its own numbers alone", "仅一方且只用自己的随机数"),
}


def word(words: tuple[str, str], language: str, **facts: object) -> str:
    """Give the sentence in `en` or `zh` with its facts, which cannot steer a terminal."""
    safe = {name: _printable(fact) for name, fact in facts.items()}
    return words[language == "zh"].format(**safe)


def _printable(fact: object) -> str:
    text = ", ".join(map(str, fact)) if isinstance(fact, (list, tuple)) else str(fact)
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST]


class Finding(NamedTuple):
    """One thing that does not hold, or that no record can prove: its code and its facts."""

    code: str
    facts: dict[str, object]

    @property
    def check(self) -> str:
        return self.code.split(".", 1)[0]

    def say(self, language: str) -> str:
        words = FINDINGS.get(self.code) or NOTES.get(self.code) or UNREADABLE
        return word(words, language, **self.facts)

    @property
    def text(self) -> str:
        return self.say("en")


def found(code: str, **facts: object) -> Finding:
    return Finding(code, facts)

// The lines that all three verifiers print alike, and the page that shows them to a person.

const ITEMS_AT_ONCE = 200;
const HOURS_OF_CHINA = 8 * 3_600_000;
const YEAR_9999 = 253402300799999;

const shown = (value) => (value === null || value === undefined ? "-" : String(value));

function lineOf(item) {
  const original = item.withheld ? "withheld" : "here";
  return [
    `item ${item.id} ${item.state} source=${item.source}`,
    `proved=${shown(item.since)}..${shown(item.until)} claimed=${shown(item.claimed)}`,
    `gap=${shown(item.gap)} key=${item.key}`,
    `original=${original} flags=${item.flags.join(",") || "-"}`,
  ].join(" ");
}

function linesOf(report) {
  const trust = new Map([
    [null, "not-compared"],
    [true, "ok"],
    [false, "failed"],
  ]);
  return [
    `bundle mingcha.bundle/1 ${report.extraction.id ?? "-"}`,
    ...Object.keys(report.keys)
      .sort()
      .map((role) => `key ${role} ${report.keys[role]}`),
    `trust ${trust.get(report.trusted)}`,
    ...CHECKS.map((check) => `check ${check} ${report.state(check)}`),
    ...report.faults.map((one) => `fault ${one.check} ${one.code} ${one.subject}`.trimEnd()),
    ...report.items.map(lineOf),
    ...report.stamps.map(([name, at]) => `stamp ${name} ${at}`),
    `verdict ${report.verdict()}`,
  ];
}

async function examine(file, trust, tell = () => {}) {
  try {
    return await new Examination(await Zip.open(file), trust, tell).run();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    const report = new Report();
    report.faults.push(fault);
    return report;
  }
}

/** An element with a class and texts or elements in it. */
function made(tag, kind, ...inside) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.append(...inside);
  return element;
}

const word = (code) => {
  const [zh, en] = WORDS[code] ?? [code, code];
  return [made("span", "zh", zh), " ", made("span", "en", en)];
};

const instant = (ms) => {
  if (!(ms >= 0 && ms <= YEAR_9999)) return "?";
  const text = new Date(ms + HOURS_OF_CHINA).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
};

const mark = (state) => made("span", `mark ${state}`, ...word(state));

function fact(code, ...value) {
  const name = made("dt", "");
  name.append(...word(code));
  return [name, made("dd", "", ...value)];
}

function cardOf(item) {
  const facts = made("dl", "facts");
  if (item.source in WORDS) facts.append(...fact("source", ...word(item.source)));
  if (item.until !== undefined) {
    const start = item.since ? [instant(item.since)] : word("unproved");
    facts.append(...fact("proved", ...start, " — ", instant(item.until)));
  }
  if (item.claimed) facts.append(...fact("claimed", instant(item.claimed)));
  if (item.gap !== undefined) facts.append(...fact("gap", `${(item.gap / 1000).toFixed(1)} s`));
  if (item.key.includes("revoked@")) {
    const at = Number(item.key.split("@")[1]);
    facts.append(...fact("revoked", `revoked at ${instant(at)}`));
  }
  if (item.flags.length > 0) facts.append(...fact("flags", item.flags.join(", ")));
  const card = made("li", "item", made("p", "head", mark(item.state), made("code", "", item.id)));
  card.append(facts);
  if (item.withheld) card.append(made("p", "quiet", ...word("withheld")));
  return card;
}

/** Where a fault lies; the instant of a revocation as a person reads it. */
function aboutOf(fault) {
  const [id, ms] = fault.subject.split(" ");
  return fault.code === "key.revoked" ? `${id} ${instant(Number(ms))}` : fault.subject;
}

function rowOf(report, check) {
  const row = made("li", "check", made("b", "", check), made("span", "name", ...word(check)));
  row.append(mark(report.state(check)));
  row.dataset.check = check;
  const faults = report.faults.filter((fault) => fault.check === check);
  if (faults.length > 0) {
    const list = made("ul", "faults");
    for (const fault of faults.slice(0, 20)) {
      list.append(made("li", "", ...word(fault.code), " ", made("code", "", aboutOf(fault))));
    }
    if (faults.length > 20) list.append(made("li", "", `… ${faults.length - 20}`));
    row.append(list);
  }
  return row;
}

function showItems(list, items) {
  list.append(...items.slice(0, ITEMS_AT_ONCE).map(cardOf));
  const left = items.slice(ITEMS_AT_ONCE);
  if (left.length === 0) return;
  const more = made("button", "", `+ ${left.length}`);
  const place = made("li", "more", more);
  more.addEventListener("click", () => {
    place.remove();
    showItems(list, left);
  });
  list.append(place);
}

function show(report, name) {
  const place = document.getElementById("result");
  const verdict = report.verdict();
  const banner = made("section", `verdict ${verdict}`, made("p", "", ...word(verdict)));
  banner.id = "verdict";
  banner.tabIndex = -1;
  banner.append(made("p", "quiet", name));
  if (verdict !== "rejected") {
    banner.append(made("p", "quiet", ...word(report.trusted ? "trusted" : "unknown")));
  }
  const checks = made("ul", "checks", ...CHECKS.map((check) => rowOf(report, check)));
  const keys = made("dl", "facts");
  for (const [role, print] of Object.entries(report.keys)) {
    keys.append(...fact(role, made("code", "", print)));
  }
  const compared = made("p", "", ...word(report.trusted ? "trusted" : "unknown"));
  const stamps = report.stamps.map(([token, at]) => made("p", "", ...word("stamped"), ` ${at} `, token));
  const none = report.state("V9") === "none" ? [made("p", "", ...word("unstamped"))] : stamps;
  const items = made("ol", "items");
  showItems(items, report.items);
  const raw = made("details", "", made("summary", "", "逐行结果 lines for programs"));
  const text = made("pre", "", `${linesOf(report).join("\n")}\n`);
  text.id = "lines";
  raw.append(text);
  place.replaceChildren(
    banner,
    made("section", "", made("h2", "", "检查 Checks"), checks, ...none),
    made("section", "", made("h2", "", ...word("fingerprints")), keys),
    made("section", "", made("h2", "", `证据 Evidence (${report.items.length})`), items),
    made("section", "", made("p", "", ...word("says")), raw),
  );
  banner.focus();
}

function listen() {
  const [form, file, trust] = ["check", "file", "trust"].map((id) => document.getElementById(id));
  const status = document.getElementById("status");
  file.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = file.files[0];
    if (!chosen) {
      status.textContent = "请先选择证据包文件 Choose a bundle first";
      return;
    }
    document.getElementById("result").replaceChildren();
    status.textContent = "正在核验 Checking …";
    const known = new Set(trust.value.toLowerCase().match(/[0-9a-f]{64}/g) ?? []);
    const tell = (done, all) => {
      status.textContent = `正在核验 Checking … ${done} / ${all}`;
    };
    try {
      show(await examine(chosen, known, tell), chosen.name);
      status.textContent = "";
    } catch (wrong) {
      status.textContent = `无法读取文件 The file cannot be read: ${wrong.message}`;
    }
  });
}

if (typeof document !== "undefined") listen();

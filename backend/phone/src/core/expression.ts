/**
 * The expression tree of the sheets: conditions, bounds, evidence; total and three-valued.
 * Twin of inspection_plans/expressions.py, which describes the form; shared vectors hold both.
 */

export type Value = boolean | number | string | readonly string[] | null;
export type Tree = unknown;

/** What is known of a visit: facts by name, values and verdicts by item code. */
export interface Known {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly answers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly verdicts: Readonly<Record<string, string>>;
}

type Operator = (inside: Tree, known: Known) => Value;
type Entries = Readonly<Record<string, unknown>>;

const SHARE = /^(?:0(?:\.[0-9]{1,4})?|1)$/;
const ANSWER = /^([A-Z]{2}-[0-9]{2})\.([a-z][a-z0-9_]{0,39})(?:\.([a-z][a-z0-9_]{0,39}))?$/;

/** Whether a condition is true; unknown does not hold. */
export function holds(tree: Tree, known: Known): boolean {
  return evaluate(tree, known) === true;
}

/** Whether a bound is certainly violated; unknown does not break it. */
export function broken(tree: Tree, known: Known): boolean {
  return evaluate(tree, known) === false;
}

/** The value of a tree, null where it is unknown; never throws. */
export function evaluate(tree: Tree, known: Known): Value {
  if (!isEntries(tree)) {
    return toValue(tree);
  }
  const [name, ...more] = Object.keys(tree);
  if (name === undefined || more.length > 0) {
    return null;
  }
  const operator = OPERATORS.get(name);
  return operator === undefined ? null : operator(tree[name], known);
}

export function isEntries(found: unknown): found is Entries {
  return typeof found === "object" && found !== null && !Array.isArray(found);
}

/** An own entry, so that a part called "constructor" is not found where there is none. */
export function entry(found: unknown, key: string): unknown {
  return isEntries(found) && Object.hasOwn(found, key) ? found[key] : undefined;
}

/** Exact comparison of a share with a decimal of at most four places: of / whole >= least. */
export function isAtLeast(of: number, whole: number, least: string): boolean {
  const [units, decimals = ""] = least.split(".");
  const numerator = BigInt(`${units}${decimals}`);
  const denominator = 10n ** BigInt(decimals.length);
  return BigInt(of) * denominator >= numerator * BigInt(whole);
}

function toValue(found: unknown): Value {
  if (typeof found === "boolean" || typeof found === "string") {
    return found;
  }
  if (typeof found === "number") {
    return Number.isSafeInteger(found) ? found : null;
  }
  if (Array.isArray(found) && found.every((one): one is string => typeof one === "string")) {
    return found;
  }
  return null;
}

function each(inside: Tree, known: Known): readonly Value[] {
  return Array.isArray(inside) ? inside.map((one: unknown) => evaluate(one, known)) : [];
}

function truths(inside: Tree, known: Known): readonly (boolean | null)[] {
  return each(inside, known).map((one) => (typeof one === "boolean" ? one : null));
}

function all(inside: Tree, known: Known): Value {
  const found = truths(inside, known);
  if (found.includes(false)) {
    return false;
  }
  return found.includes(null) || found.length === 0 ? null : true;
}

function any(inside: Tree, known: Known): Value {
  const found = truths(inside, known);
  if (found.includes(true)) {
    return true;
  }
  return found.includes(null) || found.length === 0 ? null : false;
}

function not(inside: Tree, known: Known): Value {
  const found = evaluate(inside, known);
  return typeof found === "boolean" ? !found : null;
}

function pair(inside: Tree, known: Known): readonly [Value, Value] {
  const [one = null, other = null, ...more] = each(inside, known);
  return more.length > 0 ? [null, null] : [one, other];
}

function eq(inside: Tree, known: Known): Value {
  const [one, other] = pair(inside, known);
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.every((word) => other.includes(word)) && other.every((word) => one.includes(word));
  }
  return one === null || typeof one === "object" || typeof one !== typeof other
    ? null
    : one === other;
}

function numbers(inside: Tree, known: Known): readonly number[] | null {
  const found = each(inside, known);
  const listed = found.filter((one) => typeof one === "number");
  return listed.length === found.length && listed.length > 0 ? listed : null;
}

function compare(test: (one: number, other: number) => boolean): Operator {
  return (inside, known) => {
    const [one, other, ...more] = numbers(inside, known) ?? [];
    return one === undefined || other === undefined || more.length > 0 ? null : test(one, other);
  };
}

function isIn(inside: Tree, known: Known): Value {
  const [one, listed] = pair(inside, known);
  return typeof one === "string" && Array.isArray(listed) ? listed.includes(one) : null;
}

function count(inside: Tree, known: Known): Value {
  const found = truths(inside, known);
  return found.includes(null) || found.length === 0
    ? null
    : found.filter((one) => one === true).length;
}

function sum(inside: Tree, known: Known): Value {
  const found = numbers(inside, known);
  // Added as BigInt: a sum beyond the safe range must be unknown, not rounded into it.
  const total = found?.reduce((sofar, one) => sofar + BigInt(one), 0n);
  return total === undefined ? null : toValue(Number(total));
}

function size(inside: Tree, known: Known): Value {
  const found = evaluate(inside, known);
  return Array.isArray(found) ? found.length : null;
}

function share(inside: Tree, known: Known): Value {
  const least = entry(inside, "least");
  if (typeof least !== "string" || !SHARE.test(least)) {
    return null;
  }
  const found = numbers([entry(inside, "of") ?? null, entry(inside, "in") ?? null], known);
  const [of = -1, whole = 0] = found ?? [];
  return of < 0 || whole <= 0 ? null : isAtLeast(of, whole, least);
}

function fact(inside: Tree, known: Known): Value {
  return typeof inside === "string" ? toValue(entry(known.facts, inside)) : null;
}

function answer(inside: Tree, known: Known): Value {
  const [, item, part, field] = (typeof inside === "string" ? ANSWER.exec(inside) : null) ?? [];
  if (item === undefined || part === undefined) {
    return null;
  }
  const found = entry(entry(known.answers, item), part);
  return toValue(field === undefined ? found : entry(found, field));
}

function verdict(inside: Tree, known: Known): Value {
  const found = typeof inside === "string" ? entry(known.verdicts, inside) : undefined;
  return typeof found === "string" ? found : null;
}

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["all", all],
  ["any", any],
  ["not", not],
  ["eq", eq],
  ["lt", compare((one, other) => one < other)],
  ["le", compare((one, other) => one <= other)],
  ["in", isIn],
  ["count", count],
  ["sum", sum],
  ["size", size],
  ["share", share],
  ["fact", fact],
  ["answer", answer],
  ["verdict", verdict],
]);

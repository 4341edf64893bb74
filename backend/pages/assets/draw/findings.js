/** What a check finds: `check.what` and its facts; the words stand in one table, not here. */

export function finding(code, facts = {}) {
  return { code, facts };
}

/** Light or dark as the person chose, by the same rules as the desk's style sheet. */

import type { Cells } from "../store/cells.ts";

const DARK = "(prefers-color-scheme: dark)";
const rules: CSSMediaRule[] = [];

/** Find the dark half of the tokens once; afterwards only its condition changes. */
function darkRules(): readonly CSSMediaRule[] {
  if (rules.length === 0) {
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        if (rule instanceof CSSMediaRule && rule.conditionText === DARK) {
          rules.push(rule);
        }
      }
    }
  }
  return rules;
}

export function applyTheme(theme: Cells["theme"]): void {
  const condition = { system: DARK, dark: "all", light: "not all" }[theme];
  for (const rule of darkRules()) {
    rule.media.mediaText = condition;
  }
  const scheme = theme === "system" ? "light dark" : theme;
  document.documentElement.style.colorScheme = scheme;
}

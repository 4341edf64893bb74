/** Codes to sentences, and a few elements: what a record says is text, never markup. */

const LONGEST = 90; // characters of one fact; a forger chooses its length
const HOLE = /\{([a-z_]+)\}/g;

// Facts that name a part of the record or of the log; all others are the record's own texts.
const TERMS = ["part", "frame", "type", "first", "then", "stage"];

function spelled(fact) {
  const text = Array.isArray(fact) ? fact.join(", ") : String(fact);
  return text.replace(/\p{C}/gu, "?").slice(0, LONGEST);
}

/** With a capital where the language has them. */
export function headline(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A sentence with its facts filled in. */
export function fill(sentence, facts = {}) {
  return sentence.replace(HOLE, (hole, name) => (name in facts ? spelled(facts[name]) : hole));
}

/** The sentence of a finding, parts of the record named in the page's language. */
export function sentenceOf(words, terms, { code, facts }) {
  const named = { ...facts };
  for (const name of TERMS) {
    if (Object.hasOwn(terms, named[name])) named[name] = terms[named[name]];
  }
  return headline(fill(words.findings[code] ?? words.unreadable, named));
}

/** An element with a class and children, texts or elements. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

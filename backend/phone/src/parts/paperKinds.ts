/** The kinds of papers by name; apart from their forms, because every start needs the names. */

export const PAPERS = [
  "interview",
  "copy",
  "preservation",
  "extraction",
  "obstruction",
  "recusal",
] as const;
export type PaperKind = (typeof PAPERS)[number];

/** Visits, inspectors and places as the assignment reads them (draw.md section 6). */

import { compare, utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { checkDistinct, checkId } from "./ids.js";

const SMALLEST_TEAM = 2;

function checkPairs(blocked, visits, inspectors) {
  const people = new Set(inspectors.map(({ id }) => id));
  const targets = new Set(visits.map(({ id }) => id));
  for (const [person, target] of blocked) {
    if (!people.has(person) || !targets.has(target)) refuse("E_BLOCK_REF");
  }
}

function checkSize({ size = SMALLEST_TEAM }) {
  if (!Number.isInteger(size) || size < SMALLEST_TEAM) refuse("E_TEAM_SIZE");
}

function isTexts(value) {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isTurns(value) {
  return Number.isInteger(value) && value >= 0;
}

// The specification has no code of their own for these: a field of another kind is E_TYPE.
function checkFields(visits, inspectors) {
  for (const { area = null, skills } of visits) {
    if ((area !== null && typeof area !== "string") || !isTexts(skills)) refuse("E_TYPE");
  }
  for (const { skills, areas, cap, load = 0 } of inspectors) {
    if (!isTexts(skills) || !isTexts(areas) || !isTurns(cap) || !isTurns(load)) refuse("E_TYPE");
  }
}

/** Raises the errors of assignment in the order of draw.md section 12, then E_TYPE. */
export function check(visits, inspectors, blocked) {
  checkDistinct(visits, "E_DUP_VISIT");
  for (const { id } of visits) checkId(id);
  checkDistinct(inspectors, "E_DUP_INSPECTOR");
  for (const { id } of inspectors) checkId(id);
  checkPairs(blocked, visits, inspectors);
  visits.forEach(checkSize);
  checkFields(visits, inspectors);
}

/** The places of a visit in order: the lead, its skills in byte order, then anybody. */
export function rolesOf(visit) {
  const skills = [...new Set(visit.skills ?? [])].sort(compare);
  const roles = ["lead", ...skills.map((skill) => `skill:${skill}`)];
  const size = Math.max(visit.size ?? SMALLEST_TEAM, roles.length);
  while (roles.length < size) roles.push("any");
  return roles;
}

function hasRole(inspector, role) {
  if (role === "any") return true;
  return role === "lead"
    ? Boolean(inspector.lead)
    : (inspector.skills ?? []).includes(role.slice("skill:".length));
}

function worksIn(inspector, area) {
  return area === null || (inspector.areas ?? []).includes(area);
}

/** Records in the order of their tickets, then ids. */
export function shuffled(records, tag, tickets) {
  return records
    .map((record) => ({ record, ticket: tickets.ticket(tag, utf8(record.id)) }))
    .sort((left, right) => {
      if (left.ticket !== right.ticket) return left.ticket < right.ticket ? -1 : 1;
      return compare(left.record.id, right.record.id);
    })
    .map(({ record }) => record);
}

/**
 * Who fits which place. Inspectors are numbers in inspector order; most places share their role
 * and area with others, so the lists are made once for each pair and filtered for blocks alone.
 */
export class Fitting {
  constructor(inspectors, blocked) {
    this.inspectors = inspectors;
    this.numbers = new Map(inspectors.map(({ id }, number) => [id, number]));
    this.kept = new Map();
    this.blocks = new Map();
    for (const [person, target] of blocked) {
      if (!this.blocks.has(target)) this.blocks.set(target, new Set());
      this.blocks.get(target).add(this.numbers.get(person));
    }
  }

  able(area, role) {
    if (!this.kept.has(area)) this.kept.set(area, new Map());
    const roles = this.kept.get(area);
    if (!roles.has(role)) {
      const able = [...this.inspectors.keys()].filter((number) => {
        const inspector = this.inspectors[number];
        return worksIn(inspector, area) && hasRole(inspector, role);
      });
      roles.set(role, able);
    }
    return roles.get(role);
  }

  /** The numbers of those who fit a place of a visit, in inspector order. */
  of(visit, role) {
    const able = this.able(visit.area ?? null, role);
    const blocks = this.blocks.get(visit.id);
    return blocks === undefined ? able : able.filter((number) => !blocks.has(number));
  }
}

/**
 * Who is checked, drawn from the seed of the visit and not by the inspector.
 * Twin of inspection_plans/sampling.py: tickets are SHA-256 over tag, seed, label and id.
 */

const TAG = "mingcha.sample";
const TAG_BYTES = 32;
const SEED = /^[0-9a-f]{64}$/;
const LARGEST = 100_000;

/** Draw n of the population, in drawn order; all where there are no more. */
export async function sample(
  seed: string,
  label: string,
  population: Iterable<string>,
  n: number,
): Promise<readonly string[]> {
  if (!SEED.test(seed)) {
    throw new RangeError("sampling.seed_malformed");
  }
  const prefix = [...prefixOf(seed, label)];
  const members = [...new Set(population)];
  const tickets = await Promise.all(
    members.map(async (id) => ({ id, ticket: await ticketOf(prefix, id) })),
  );
  // Tickets of equal length in hexadecimal sort like the numbers they are.
  tickets.sort((one, other) => compare(one.ticket, other.ticket) || compare(one.id, other.id));
  return tickets.slice(0, n).map(({ id }) => id);
}

/** Draw n of the numbers 1 to size, for a population that is counted and not filed. */
export async function numbers(
  seed: string,
  label: string,
  size: number,
  n: number,
): Promise<readonly number[]> {
  if (!Number.isInteger(size) || size < 0 || size > LARGEST) {
    throw new RangeError("sampling.population_out_of_range");
  }
  const ids = Array.from({ length: size }, (_, place) => String(place + 1));
  return (await sample(seed, label, ids, n)).map(Number);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function prefixOf(seed: string, label: string): Uint8Array {
  const encode = new TextEncoder();
  const words = encode.encode(`${label}\0`);
  const made = new Uint8Array(TAG_BYTES + TAG_BYTES + words.length);
  made.set(encode.encode(TAG));
  for (let place = 0; place < TAG_BYTES; place += 1) {
    made[TAG_BYTES + place] = Number.parseInt(seed.slice(place * 2, place * 2 + 2), 16);
  }
  made.set(words, TAG_BYTES + TAG_BYTES);
  return made;
}

async function ticketOf(prefix: readonly number[], id: string): Promise<string> {
  const told = Uint8Array.from([...prefix, ...new TextEncoder().encode(id)]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One at a time, across tabs where the browser can and within the page where it cannot. */

const queues = new Map<string, Promise<unknown>>();

/** Wait for the turn of this name, then do the work. */
export async function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  if (navigator.locks !== undefined) {
    return navigator.locks.request(name, work);
  }
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  queues.set(
    name,
    mine.catch(() => undefined),
  );
  return mine;
}

/** Do the work unless somebody is at it; whether it was done. */
export async function unlessBusy(name: string, work: () => Promise<void>): Promise<boolean> {
  if (navigator.locks !== undefined) {
    return navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock !== null) {
        await work();
      }
      return lock !== null;
    });
  }
  if (queues.has(name)) {
    return false;
  }
  try {
    await alone(name, work);
  } finally {
    queues.delete(name);
  }
  return true;
}

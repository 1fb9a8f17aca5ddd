/** Waits for dump tasks; asks the catalog aside, so that asking costs the server nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sluice } from './sluice.ts';

const DELIVERY_LIMIT_MS = 300_000;
const POLL_MS = 100;

/** Resolves when the tasks have delivered `records`: to the seconds from the first plan to the last commit. */
export async function waitForDelivery(sluice: Sluice, ids: readonly string[], wanted: number): Promise<number> {
  const catalog = sluice.openCatalog(true);
  try {
    const statement = catalog.prepare(
      `select sum(records) as records, min(created_at) as begin, max(end_time) as end, max(state) as state
       from dump_log where task_id in (${ids.map(() => '?').join(', ')})`,
    );
    const deadline = performance.now() + DELIVERY_LIMIT_MS;
    for (;;) {
      await sleep(POLL_MS);
      const { records, begin, end, state } = statement.get(...ids) as Record<string, number>;
      if (records === wanted && state === 0) return (end! - begin!) / 1000;
      if (performance.now() > deadline) throw new Error(`${records} of ${wanted} records were delivered`);
    }
  } finally {
    catalog.close();
  }
}

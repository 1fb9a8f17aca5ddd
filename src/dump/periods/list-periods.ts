/** The stretches of time that a task's directories stand for: which are complete, and what is in them. */
import { selectManifests, type DumpManifestRow } from '../../catalog/dump-manifests.ts';
import { selectPeriodPage, type PeriodWithSums } from '../../catalog/dump-periods.ts';
import type { DumpServices } from '../dump-services.ts';
import { deliveredUntil } from './delivered-until.ts';
import { mayPlan } from './period-rules.ts';

export interface PeriodQuery {
  /** Periods that start in [from, to), in ms. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

export interface PeriodDescription extends PeriodWithSums {
  /** In order of their numbers. */
  readonly manifestsOf: readonly DumpManifestRow[];
}

export interface PeriodList {
  /** The newest first. */
  readonly periods: readonly PeriodDescription[];
  readonly hasMore: boolean;
  /**
   * Time in ms up to which directories are complete, also those that have no file; undefined when it cannot be told, and
   * while the task is stopped. It is the watermark less the task's lateness.
   */
  readonly completeUntil: number | undefined;
}

/** Of a live task or a backfill. */
export async function listPeriods(
  services: DumpServices,
  id: string,
  { from, to, limit }: PeriodQuery,
): Promise<PeriodList> {
  const { catalog, dumpEngine, registry, recordLog, clock } = services;
  const rows = await selectPeriodPage(catalog.reader, id, { from, to }, limit + 1);
  const page = rows.slice(0, limit);
  const starts = page.map(({ period }) => period);
  const manifests = Map.groupBy(await selectManifests(catalog.reader, id, starts), ({ period }) => period);
  const task = dumpEngine.task(id);
  const parts = { catalog, recordLog, streams: registry, clock };
  const until =
    task === undefined || !mayPlan(task)
      ? -Infinity
      : (await dumpEngine.quietly(() => deliveredUntil(parts, task))) - task.settings.latenessSeconds * 1000;
  return {
    periods: page.map((row) => ({ ...row, manifestsOf: manifests.get(row.period) ?? [] })),
    hasMore: rows.length > limit,
    completeUntil: until === -Infinity ? undefined : until,
  };
}

/**
 * How far a task has come, as a time: the watermark that tells which of its directories are complete. It is made of when
 * records arrived, which never goes back within a partition, not of the times that producers write into them.
 */
import { raisePlanFloor } from '../../catalog/dump-tasks.ts';
import { isDomainError } from '../../model/errors.ts';
import { lacksPartitions } from '../tasks/cover-partitions.ts';
import type { DumpParts } from '../dump-config.ts';
import { isPlacedByPlan } from '../settings/settings.ts';
import { loadTask } from '../tasks/load-tasks.ts';
import type { DumpTask, Pair } from '../tasks/task-table.ts';

export type WatermarkParts = Pick<DumpParts, 'catalog' | 'recordLog' | 'streams' | 'clock'>;

/** A put that has its time of arrival may still wait for the disk: a partition that looks empty is trusted up to then. */
export const SETTLE_MS = 2000;

/**
 * The time in ms such that every record that arrived before it is delivered or given up and, where directories are those
 * of the plan, such that no directory that ends by then gets another file but one of a redrive that was planned by then.
 * -Infinity when it cannot be told now. Runs in the lane: of a plan whose transaction is under way memory knows nothing.
 */
export async function deliveredUntil(parts: WatermarkParts, task: DumpTask): Promise<number> {
  if (lacksPartitions(parts.streams, task)) return -Infinity;
  let until = parts.clock.now();
  for (const pair of await pairsOf(parts, task, until)) {
    if (until === -Infinity) return until;
    until = Math.min(until, await pairUntil(parts, pair));
  }
  return until;
}

/**
 * The pairs as they are. Of those that other nodes work on the catalog tells: first plans under way are waited for, and new
 * ones are kept from times before `now` (ms), by whichever clock they are made; then what is planned is read.
 */
async function pairsOf({ catalog }: WatermarkParts, task: DumpTask, now: number): Promise<readonly Pair[]> {
  const own = task.pairs.filter(({ uncertain }) => !uncertain);
  if (own.length === task.pairs.length) return own;
  await raisePlanFloor(catalog.db, task.id, now);
  const known = new Set(own.map(({ lease }) => lease));
  // One that is deleted has none, and nobody is told of its directories.
  const pairs = (await loadTask(catalog, task.id))?.pairs ?? [];
  return [...own, ...pairs.filter(({ lease }) => !known.has(lease))];
}

async function pairUntil(parts: WatermarkParts, pair: Pair): Promise<number> {
  const { plan, task } = pair;
  // A plan is finished under its own settings, which may not be those of the task any more.
  const versions = plan === undefined ? [task.settings] : [task.settings, plan.settings];
  let until = Infinity;
  if (plan !== undefined && isPlacedByPlan(plan.settings)) until = plan.createdAt;
  if (!versions.every(isPlacedByPlan)) until = Math.min(until, await firstUndelivered(parts, pair));
  return until;
}

/** When the first record that is not delivered arrived; when there is none, up to when none can have. */
async function firstUndelivered({ recordLog, clock }: WatermarkParts, { ref, position, end }: Pair): Promise<number> {
  if (end !== null && position >= end) return Infinity;
  const now = clock.now();
  try {
    if (position >= (await recordLog.bounds(ref)).next) return now - SETTLE_MS;
    // A record that is not kept any more is given up before long; until then nothing can be said.
    return (await recordLog.arrivalTime(ref, position)) ?? -Infinity;
  } catch (error) {
    // The stream is gone, and the task is about to be.
    if (isDomainError(error, 'StreamNotFound')) return -Infinity;
    throw error;
  }
}

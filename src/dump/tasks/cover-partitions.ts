/**
 * Gives every task a pair for each partition that its stream has by now. A task that is made takes all partitions that
 * the registry knows at that moment; so one that it lacks came later, and the task takes it from its first record on.
 */
import { insertMissingPositions, selectPositions } from '../../catalog/dump-positions.ts';
import type { DumpParts, Streams } from '../dump-config.ts';
import { addPairs } from './load-tasks.ts';
import { newPosition } from './new-position.ts';
import type { DumpTask } from './task-table.ts';

/** Whether the task lacks a partition of its stream. A backfill does not: what it delivers was said when it was made. */
export function lacksPartitions(streams: Streams, task: DumpTask): boolean {
  return task.kind === 'live' && task.pairs.length < (streams.byNumber(task.stream)?.partitions.length ?? 0);
}

/** Runs in the lane, for live tasks. The catalog is written first: the next call makes good what a crash cut short. */
export async function coverPartitions(
  { catalog, clock, streams }: Pick<DumpParts, 'catalog' | 'clock' | 'streams'>,
  tasks: Iterable<DumpTask>,
): Promise<void> {
  const lacking = [...tasks].filter((task) => lacksPartitions(streams, task));
  if (lacking.length === 0) return;
  await catalog.db.transaction().execute(async (transaction) => {
    for (const task of lacking) {
      const { partitions } = streams.byNumber(task.stream) ?? { partitions: [] };
      const rows = partitions.map(({ ref: { partition } }) =>
        newPosition({ taskId: task.id, partition, position: 0, end: null }, clock.now()),
      );
      if (rows.length > 0) await insertMissingPositions(transaction, rows);
    }
  });
  for (const task of lacking) addPairs(task, await selectPositions(catalog.db, task.id));
}

/**
 * Gives every task a pair for each partition that its stream has by now. A task that is made takes all partitions that
 * the registry knows at that moment; so one that it lacks came later, and the task takes it from its first record on.
 */
import { insertMissingPositions, selectPositions } from '../../catalog/dump-positions.ts';
import type { DumpParts, Streams } from '../dump-config.ts';
import { leasesOfTask } from './lease-names.ts';
import { addPairs } from './load-tasks.ts';
import { newPosition } from './new-position.ts';
import type { DumpTask } from './task-table.ts';

/** Whether the task lacks a partition of its stream. A backfill does not: what it delivers was said when it was made. */
export function lacksPartitions(streams: Streams, task: DumpTask): boolean {
  return task.kind === 'live' && task.pairs.length < (streams.byNumber(task.stream)?.partitions.length ?? 0);
}

/** Runs in the lane, for live tasks. The catalog is written first: the next call makes good what a crash cut short. */
export async function coverPartitions(
  { catalog, cluster, clock, streams }: Pick<DumpParts, 'catalog' | 'cluster' | 'clock' | 'streams'>,
  tasks: Iterable<DumpTask>,
): Promise<void> {
  const lacking = [...tasks].filter((task) => lacksPartitions(streams, task));
  if (lacking.length === 0) return;
  await catalog.db.transaction().execute(async (transaction) => {
    for (const { id, stream } of lacking) {
      const partitions = (streams.byNumber(stream)?.partitions ?? []).map(({ ref }) => ref.partition);
      if (partitions.length === 0) continue;
      const rows = partitions.map((partition) =>
        newPosition({ taskId: id, partition, position: 0, end: null }, clock.now()),
      );
      await insertMissingPositions(transaction, rows);
      await cluster.leases.add(transaction, leasesOfTask(id, partitions));
    }
    for (const { id } of lacking) await cluster.announceIn(transaction, { kind: 'task', key: id });
  });
  for (const task of lacking) {
    const known = task.pairs.length;
    addPairs(task, await selectPositions(catalog.db, [task.id]));
    // Whoever holds the leases may have begun already.
    for (const pair of task.pairs.slice(known)) pair.uncertain = true;
  }
}

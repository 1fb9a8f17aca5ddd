/** Everything about one dump task: its settings, its state and how far it has got in each partition. */
import { selectPositions } from '../catalog/dump-positions.ts';
import type { DumpTaskRow } from '../catalog/dump-tasks.ts';
import { formatPartitionId } from '../model/partition-id.ts';
import type { Stream } from '../model/stream.ts';
import { taskByName, type DumpServices } from './dump-services.ts';
import { parseStoredSettings, type DumpSettings } from './settings.ts';
import { isFailing } from './task-table.ts';

export interface PartitionProgress {
  readonly partitionId: string;
  readonly state: string;
  /** Records that were given up. */
  readonly discarded: number;
  /** Time of the newest commit in ms, or undefined before the first. */
  readonly lastTransferAt: number | undefined;
  /** The first record that is not delivered yet. */
  readonly position: number;
}

export interface TaskDescription {
  readonly task: DumpTaskRow;
  readonly settings: DumpSettings;
  readonly lastTransferAt: number | undefined;
  /** In order of partition number. */
  readonly partitions: readonly PartitionProgress[];
}

/** Throws TaskNotFound. */
export async function showTask(services: DumpServices, stream: Stream, name: string): Promise<TaskDescription> {
  const { catalog, dumpEngine } = services;
  const { settings, ...task } = await taskByName(services, stream, name);
  const positions = await selectPositions(catalog.db, task.task_id);
  const failing = new Set(
    dumpEngine
      .task(task.task_id)
      ?.pairs.filter(isFailing)
      .map(({ ref }) => ref.partition),
  );
  const times = positions.flatMap(({ last_transfer_at }) => last_transfer_at ?? []);
  return {
    task,
    settings: parseStoredSettings(settings),
    lastTransferAt: times.length === 0 ? undefined : Math.max(...times),
    partitions: positions.map((row) => ({
      partitionId: formatPartitionId(row.partition),
      state: partitionState(task.state, failing.has(row.partition)),
      discarded: row.discarded,
      lastTransferAt: row.last_transfer_at ?? undefined,
      position: row.position,
    })),
  };
}

/** A task is ABNORMAL when one of its partitions is; the others run. */
function partitionState(taskState: string, failing: boolean): string {
  if (taskState === 'PAUSED' || taskState === 'STARTING') return taskState;
  return failing ? 'ABNORMAL' : 'RUNNING';
}

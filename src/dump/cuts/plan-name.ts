/** The base name of the files of a cut that a pair has planned at a time. */
import { baseName } from './object-name.ts';
import type { Pair } from '../tasks/task-table.ts';

export function planName({ task, ref }: Pair, time: number): string {
  return baseName({ taskId: task.id, streamName: task.streamName, partition: ref.partition, time });
}

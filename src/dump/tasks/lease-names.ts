/**
 * The leases of dump work (cluster/cluster.ts): one for each pair, whose holder cuts and uploads; one for each task, whose
 * holder does what is done for the task as a whole: its periods, merges, manifests and redrives.
 */

/** What a lease is for; `partition` is undefined for that of the whole task. */
export interface DumpLease {
  readonly taskId: string;
  readonly partition: number | undefined;
}

const START = 'dump/';

export function pairLease(taskId: string, partition: number): string {
  return `${taskLease(taskId)}/${partition}`;
}

export function taskLease(taskId: string): string {
  return `${START}${taskId}`;
}

/** That of a task, and those of its partitions. */
export function leasesOfTask(taskId: string, partitions: readonly number[]): string[] {
  return [taskLease(taskId), ...partitions.map((partition) => pairLease(taskId, partition))];
}

/** Undefined for a lease of other work. */
export function parseDumpLease(name: string): DumpLease | undefined {
  if (!name.startsWith(START)) return undefined;
  const [taskId = '', partition] = name.slice(START.length).split('/');
  return { taskId, partition: partition === undefined ? undefined : Number(partition) };
}

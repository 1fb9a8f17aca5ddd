/**
 * Names of files and keys of objects: `<prefix>/<time directories>/<task_id>.<stream_name>.<partition>.<ms>`. The time
 * is that of the plan, in UTC, and unique within a partition of a task, so a key is never used for two files.
 */
import type { DumpSettings, PartitionFormat } from './settings.ts';

export interface FileIdentity {
  readonly taskId: string;
  readonly streamName: string;
  readonly partition: number;
  /** Time of the plan in ms. */
  readonly time: number;
}

export function fileName({ taskId, streamName, partition, time }: FileIdentity): string {
  return `${taskId}.${streamName}.${partition}.${time}`;
}

/** The key under which a file of this identity is stored. */
export function objectKey(
  { prefix, partitionFormat }: Pick<DumpSettings, 'prefix' | 'partitionFormat'>,
  file: FileIdentity,
): string {
  return [prefix.replace(/\/$/, ''), timeDirectories(partitionFormat, file.time), fileName(file)]
    .filter((part) => part !== '')
    .join('/');
}

function timeDirectories(format: PartitionFormat, time: number): string {
  if (format === '') return '';
  const date = new Date(time);
  const parts = [
    String(date.getUTCFullYear()).padStart(4, '0'),
    ...[date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()].map((part) =>
      String(part).padStart(2, '0'),
    ),
  ];
  return parts.slice(0, format.split('/').length).join('/');
}

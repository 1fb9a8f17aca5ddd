/**
 * Names of files and keys of objects: `<prefix>/<directories>/<task_id>.<stream_name>.<partition>.<ms>[-<n>][.<extension>]`.
 * The time is that of the plan and unique within a partition of a task; `n` counts the further files of a cut from 1. So
 * a key is never used for two files. What Sluice itself adds beside the files begins with `_`, which readers of data lakes
 * pass over.
 */
import type { DumpSettings } from '../settings/settings.ts';

export interface CutIdentity {
  readonly taskId: string;
  readonly streamName: string;
  readonly partition: number;
  /** Time of the plan in ms. */
  readonly time: number;
}

export const DEAD_LETTERS_FOLDER = '_dead_letters';
export const MANIFESTS_FOLDER = '_manifests';

/** What the names of all files of a cut begin with. */
export function baseName({ taskId, streamName, partition, time }: CutIdentity): string {
  return `${taskId}.${streamName}.${partition}.${time}`;
}

type FileForm = Pick<DumpSettings, 'fileType' | 'compression'>;

/** The name of the file number `index` (from 0) of a cut. */
export function fileName(base: string, form: FileForm, index = 0): string {
  return `${base}${index === 0 ? '' : `-${index}`}${extension(form)}`;
}

/** What the name of a file begins with, without its number and extension. */
export function baseOf(name: string): string {
  return /^(?:[^.]+\.){3}\d+/.exec(name)?.[0] ?? name;
}

/** The time of the plan in ms that the name of a file tells; NaN for a name of another form. */
export function planTimeOf(name: string): number {
  const base = baseOf(name);
  return base === name && !/\.\d+$/.test(name) ? Number.NaN : Number(base.slice(base.lastIndexOf('.') + 1));
}

/** Whether an object of this name is a file, or the dead letters, of the cut with this base name. */
export function isOfCut(name: string, base: string): boolean {
  return baseOf(name) === base;
}

/** The key under which a file is stored; `path` is without slashes around and may be empty. */
export function objectKey(prefix: string, path: string, name: string): string {
  return [prefix.replace(/\/$/, ''), path, name].filter((part) => part !== '').join('/');
}

/** Where the dead letters of a cut are. */
export function deadLetterKey(prefix: string, base: string): string {
  return objectKey(prefix, DEAD_LETTERS_FOLDER, `${base}.jsonl`);
}

const MANIFEST = new RegExp(`(?:^|/)${MANIFESTS_FOLDER}/([A-Za-z0-9]{19})/`);

/** The id of the task whose manifest has this key; undefined for a key of another form. */
export function taskOfManifest(key: string): string | undefined {
  return MANIFEST.exec(key)?.[1];
}

/** Plain text has none: its names are those of DIS. */
function extension({ fileType, compression }: FileForm): string {
  if (fileType === 'parquet') return '.parquet';
  const inner = fileType === 'csv' ? '.csv' : '';
  if (compression === 'gzip') return `${inner}.gz`;
  return compression === 'zstd' ? `${inner}.zst` : inner;
}

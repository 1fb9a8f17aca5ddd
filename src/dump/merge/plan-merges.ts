/**
 * Plans the merges of a period whose time has come: rows of dump_log in state 2, which the files that they are made of
 * name as their `merge_id`. A plan fixes the inputs and the key, so it always makes the same object. Files that a merge has
 * are not looked at again, so planning that a crash has interrupted goes on where it ended.
 */
import type { Kysely } from 'kysely';
import { insertPlans, type NewLogRow } from '../../catalog/dump-log.ts';
import { selectVersions } from '../../catalog/dump-log-walk.ts';
import {
  claimInputs,
  selectLastName,
  selectMergeable,
  selectMergePaths,
  type FileRow,
} from '../../catalog/dump-merges.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { LOG_STATE, NO_PARTITION, type Database } from '../../catalog/schema.ts';
import { fileName } from '../cuts/object-name.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';
import { folderOf, groupFiles, type SettingsOf } from './merge-groups.ts';

export interface MergeOwner {
  readonly id: string;
  readonly streamName: string;
}

/** Paths that are looked at together. */
const PATHS_PER_PAGE = 50;
/** Inputs of one transaction: it holds up whoever else writes to the catalog. */
const INPUTS_PER_BATCH = 1000;
const MEGABYTE = 1024 * 1024;

export interface MergeWish {
  readonly taskId: string;
  readonly period: number;
  /** Target size in MB (of 2^20 bytes). */
  readonly megabytes: number;
  readonly settingsOf: SettingsOf;
}

/** The groups of files of a period that are to be merged, in batches that one transaction can plan. */
export async function* mergeGroups(
  db: Kysely<Database>,
  { taskId, period, megabytes, settingsOf }: MergeWish,
): AsyncGenerator<FileRow[][], void, undefined> {
  let batch: FileRow[][] = [];
  let inputs = 0;
  for (let after: string | undefined; ;) {
    const paths = await selectMergePaths(db, taskId, period, after, PATHS_PER_PAGE);
    const files = await selectMergeable(db, taskId, period, paths);
    for (const ofPath of Map.groupBy(files, ({ path }) => path).values()) {
      for (const group of groupFiles(ofPath, megabytes * MEGABYTE, settingsOf)) {
        batch.push(group);
        inputs += group.length;
        if (inputs < INPUTS_PER_BATCH) continue;
        yield batch;
        batch = [];
        inputs = 0;
      }
    }
    if (paths.length < PATHS_PER_PAGE) break;
    after = paths.at(-1);
  }
  if (batch.length > 0) yield batch;
}

export interface MergePlanning {
  readonly owner: MergeOwner;
  readonly period: number;
  readonly now: number;
  readonly settingsOf: SettingsOf;
}

/** Plans a merge of each group, in the caller's transaction. Resolves to the numbers of the rows. */
export async function writeMergePlans(
  transaction: Kysely<Database>,
  { owner, period, now, settingsOf }: MergePlanning,
  groups: readonly (readonly FileRow[])[],
): Promise<number[]> {
  if (groups.length === 0) return [];
  const start = `${owner.id}.${owner.streamName}.merged.`;
  const last = await selectLastName(transaction, owner.id, start);
  const lastTime = last === undefined ? 0 : Number.parseInt(last.slice(start.length), 10);
  const first = Math.max(now, lastTime + 1);
  const rows = groups.map((group, index) => mergeRow(owner.id, period, group, start, first + index, settingsOf));
  const ids = await insertPlans(transaction, rows);
  for (const [index, group] of groups.entries()) {
    const claimed = await claimInputs(
      transaction,
      ids[index]!,
      group.map(({ id }) => id),
    );
    if (claimed !== group.length) throw new Error(`${claimed} of ${group.length} files of a merge were free`);
  }
  await addLogRows(transaction, owner.id, rows.length);
  return ids;
}

/** The settings of a task by version. */
export async function loadSettings(db: Kysely<Database>, taskId: string): Promise<SettingsOf> {
  const texts = new Map((await selectVersions(db, taskId)).map(({ version, settings }) => [version, settings]));
  const known = new Map<number, DumpSettings>();
  return (version) => {
    let settings = known.get(version);
    if (settings === undefined) {
      const text = texts.get(version);
      if (text === undefined) throw new Error(`task ${taskId} has no version ${version}`);
      known.set(version, (settings = parseStoredSettings(text)));
    }
    return settings;
  };
}

/** What the row says of records is for its inputs to tell: it has no partition of its own. */
function mergeRow(
  taskId: string,
  period: number,
  group: readonly FileRow[],
  nameStart: string,
  time: number,
  settingsOf: SettingsOf,
): NewLogRow {
  const [first] = group;
  const version = Math.max(...group.map(({ task_version }) => task_version));
  const name = fileName(`${nameStart}${time}`, settingsOf(version));
  const folder = folderOf(first!);
  return {
    task_id: taskId,
    task_version: version,
    partition: NO_PARTITION,
    state: LOG_STATE.inProgress,
    first_sequence: 0,
    next_sequence: 0,
    created_at: time,
    start_time: Math.min(...group.map(({ start_time }) => start_time)),
    end_time: time,
    read_records: 0,
    records: 0,
    bytes: 0,
    file_name: name,
    bucket: first!.bucket,
    object_key: folder === '' ? name : `${folder}/${name}`,
    path: first!.path,
    period,
    schema_revision: first!.schema_revision,
    checksum: null,
    etag: null,
    attempt: 1,
    error_code: null,
    cause: null,
    given_up: 0,
    kind: 'merge',
  };
}

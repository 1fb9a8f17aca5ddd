/**
 * Which small files become one: files of one folder and one form, in the order of their records, until the target size is
 * reached, or the number of inputs that a merge may have. Pure, so the same files always make the same groups.
 */
import type { FileRow } from '../../catalog/dump-merges.ts';
import type { DumpSettings } from '../settings/settings.ts';

/**
 * Inputs of a group. They are read one after the other, told row by row in one transaction, and the footer of a Parquet
 * file, which is held in memory, grows with each.
 */
export const MAX_INPUTS = 1000;

export type SettingsOf = (version: number) => DumpSettings;

/**
 * The groups of at least two among `files`, which are in the order of their records. A file of the target size is left
 * alone, and so is one that finds no other.
 */
export function groupFiles(files: readonly FileRow[], targetBytes: number, settingsOf: SettingsOf): FileRow[][] {
  const groups: FileRow[][] = [];
  const open = new Map<string, { group: FileRow[]; bytes: number }>();
  for (const file of files) {
    if (file.bytes >= targetBytes) continue;
    const form = formOf(file, settingsOf(file.task_version));
    const current = open.get(form);
    const room = current !== undefined && current.group.length < MAX_INPUTS;
    if (room && current.bytes + file.bytes <= targetBytes) {
      current.group.push(file);
      current.bytes += file.bytes;
    } else {
      const group = [file];
      groups.push(group);
      open.set(form, { group, bytes: file.bytes });
    }
  }
  return groups.filter(({ length }) => length > 1);
}

/** Where a file's object is, without its name; empty for the top of the bucket. */
export function folderOf({ object_key: key }: Pick<FileRow, 'object_key'>): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/** What files must have in common to become one. */
function formOf(file: FileRow, settings: DumpSettings): string {
  const { fileType, compression, delimiter, csvHeader, form, ownSchema } = settings;
  const common = [file.bucket, folderOf(file), fileType, compression];
  if (fileType === 'text') return JSON.stringify([...common, delimiter]);
  // Columns that were inferred are not known here: where they change the merge is split.
  return JSON.stringify([...common, csvHeader, form.dataType, ownSchema ?? form.dataSchema ?? null]);
}

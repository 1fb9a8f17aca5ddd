/** Holds what was put against what lies in the bucket. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { LogEntry } from './api.ts';

export interface CheckResult {
  readonly files: number;
  readonly rows: number;
  /** Human sentences; empty when everything is accounted for. */
  readonly problems: readonly string[];
}

/**
 * Every row (each carries its number as `row`) in exactly one file, every file in the log, every log entry true.
 * `bucket`: the folder of the bucket.
 */
export async function checkDelivery(rows: number, entries: readonly LogEntry[], bucket: string): Promise<CheckResult> {
  const problems: string[] = [];
  const seen = new Map<number, string>();
  const delivered = entries.filter(({ state }) => state === 0);
  for (const { objectKey, transferRecordsNum, transferBytes, checksum } of delivered) {
    const bytes = await readFile(join(bucket, objectKey));
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    const sum = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (lines.length !== transferRecordsNum || bytes.length !== transferBytes || sum !== checksum) {
      problems.push(`${objectKey}: not what the log says`);
    }
    for (const line of lines) {
      const { row } = JSON.parse(line) as { row: number };
      const other = seen.get(row);
      if (other !== undefined) problems.push(`row ${row} is in ${other} and in ${objectKey}`);
      seen.set(row, objectKey);
    }
  }
  for (let row = 0; row < rows; row += 1) if (!seen.has(row)) problems.push(`row ${row} is in no file`);
  const logged = new Set(delivered.map(({ objectKey }) => objectKey));
  for (const file of await filesBelow(bucket)) if (!logged.has(file)) problems.push(`${file} is not in the log`);
  return { files: delivered.length, rows: seen.size, problems };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.startsWith('.'));
}

/**
 * The log against the stream: makes the files of a cut again from the records that are still kept and compares their
 * checksums with those of the delivery. So it is proved, not only counted, that each record is in its file.
 */
import { selectColumns } from '../../catalog/dump-schemas.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { isDomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import { LogSource, LostRecords, type LogSourceParts } from '../cuts/log-source.ts';
import { baseOf } from '../cuts/object-name.ts';
import type { DumpSettings } from '../settings/settings.ts';
import { writeCut, type CutWriterParts } from '../cuts/write-cut.ts';
import type { CheckedCut } from './cut-checker.ts';
import type { Finding } from './finding.ts';
import { HashingStore } from './hashing-store.ts';

export interface RecordCheck extends LogSourceParts, Omit<CutWriterParts, 'objects'> {
  readonly catalog: Catalog;
  readonly ref: PartitionRef;
  readonly settings: DumpSettings;
  readonly signal: AbortSignal;
}

/** Undefined when records of the cut, or its stream, are not kept any more: then there is nothing to compare with. */
export async function checkRecords(check: RecordCheck, { plan, rows }: CheckedCut): Promise<Finding[] | undefined> {
  const { ref, settings, catalog, signal } = check;
  if (!(await isKept(check, plan.first_sequence))) return undefined;
  const range = { ref, first: plan.first_sequence, next: plan.next_sequence };
  const { task_id, schema_revision } = plan;
  const cut = {
    source: new LogSource(check, range),
    partition: ref.partition,
    first: range.first,
    next: range.next,
    createdAt: plan.created_at,
    baseName: baseOf(plan.file_name),
    bucket: plan.bucket,
    settings,
    columns: schema_revision === 0 ? undefined : await selectColumns(catalog.reader, task_id, schema_revision),
  };
  let made;
  try {
    made = await writeCut({ ...check, objects: new HashingStore() }, cut, signal);
  } catch (error) {
    // The stream may have been deleted meanwhile.
    if (error instanceof LostRecords || !(await isKept(check, plan.first_sequence))) return undefined;
    throw error;
  }
  if (made.next < plan.next_sequence) return undefined;

  const expected = new Map(
    rows.filter(({ object_key }) => object_key !== '').map((row) => [row.object_key, row.checksum]),
  );
  if (plan.dead_letter_key !== null) expected.set(plan.dead_letter_key, plan.dead_letter_checksum);
  const found = new Map(made.files.map(({ key, checksum }) => [key, checksum]));
  if (made.deadLetters !== undefined) found.set(made.deadLetters.key, made.deadLetters.checksum);

  const findings: Finding[] = [];
  const place = { partition: ref.partition, bucket: plan.bucket };
  const report = (key: string, detail: string) => findings.push({ kind: 'altered', ...place, key, detail });
  for (const [key, checksum] of expected) {
    const again = found.get(key);
    if (again === undefined) report(key, 'made again from the stream, the cut has no such file');
    else if (again !== checksum) report(key, 'made again from the stream, the file has other bytes');
  }
  for (const key of found.keys()) {
    if (!expected.has(key)) report(key, 'made again from the stream, the cut has a file that the log does not have');
  }
  return findings;
}

async function isKept({ recordLog, ref }: RecordCheck, sequence: number): Promise<boolean> {
  try {
    return (await recordLog.bounds(ref)).first <= sequence;
  } catch (error) {
    if (isDomainError(error, 'StreamNotFound')) return false;
    throw error;
  }
}

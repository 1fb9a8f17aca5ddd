/**
 * A manifest as JSON: what it is about, its sums, the dead letters of the cuts that its files were made from, and the files,
 * one a line. Made from rows that do not change any more, page by page, so memory does not grow with the number of files
 * and a second try makes the same bytes.
 */
import {
  selectManifestDeadLetters,
  selectManifestFiles,
  type DumpManifestRow,
  type FilePlace,
  type ManifestFile,
} from '../../catalog/dump-manifests.ts';
import { selectInputs, type FileRow } from '../../catalog/dump-merges.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { formatPartitionId } from '../../model/partition-id.ts';

export interface ManifestSubject {
  readonly taskId: string;
  readonly taskName: string;
  readonly streamName: string;
  /** Exclusive end of the period in ms. */
  readonly endsAt: number;
  readonly timeZone: string;
}

/** Some records of one partition, both ends inclusive. */
interface Sequences {
  readonly partition: string;
  readonly first: string;
  readonly last: string;
}

const ROWS_PER_PAGE = 500;

export async function* manifestBody(
  { reader }: Pick<Catalog, 'reader'>,
  subject: ManifestSubject,
  row: DumpManifestRow,
): AsyncGenerator<Uint8Array, void, undefined> {
  const head = {
    task_id: subject.taskId,
    task_name: subject.taskName,
    stream_name: subject.streamName,
    period_start: isoTime(row.period),
    period_end: isoTime(subject.endsAt),
    time_zone: subject.timeZone,
    complete: true,
    number: row.number,
    created: isoTime(row.created_at),
    totals: { files: row.files, records: row.records, bytes: row.bytes },
  };
  yield Buffer.from(JSON.stringify(head).slice(0, -1));
  yield* jsonList('dead_letters', deadLetters(reader, row));
  yield* jsonList('files', files(reader, row));
  yield Buffer.from('}\n');
}

/** `,"<name>":[…]` with one entry a line. */
async function* jsonList(name: string, pages: AsyncIterable<readonly object[]>) {
  let opening = `,\n"${name}":[`;
  for await (const page of pages) {
    const lines = page.map((entry) => `\n${JSON.stringify(entry)}`).join(',');
    yield Buffer.from(opening + lines);
    opening = ',';
  }
  yield Buffer.from(opening === ',' ? '\n]' : `${opening}]`);
}

async function* deadLetters(db: Catalog['reader'], row: DumpManifestRow) {
  for (let after = 0; ;) {
    const page = await selectManifestDeadLetters(db, row, after, ROWS_PER_PAGE);
    if (page.length > 0) {
      yield page.map(({ bucket, dead_letter_key: key, dead_letters: records }) => ({ bucket, key, records }));
    }
    if (page.length < ROWS_PER_PAGE) return;
    after = page.at(-1)!.id;
  }
}

async function* files(db: Catalog['reader'], row: DumpManifestRow) {
  for (let after: FilePlace | undefined; ;) {
    const page = await selectManifestFiles(db, row, after, ROWS_PER_PAGE);
    const entries = [];
    for (const file of page) entries.push(await fileEntry(db, file));
    if (entries.length > 0) yield entries;
    if (page.length < ROWS_PER_PAGE) return;
    after = page.at(-1);
  }
}

async function fileEntry(db: Catalog['reader'], file: ManifestFile) {
  const merged = file.kind === 'merge';
  return {
    bucket: file.bucket,
    key: file.object_key,
    path: file.path,
    records: file.records,
    bytes: file.bytes,
    checksum: file.checksum,
    etag: file.etag,
    merged,
    sequences: sequencesOf(merged ? await selectInputs(db, file.id) : [file]),
  };
}

/** By partition; of the files of cuts that follow each other without a gap there is one range. */
function sequencesOf(files: readonly FileRow[]): Sequences[] {
  const ranges: { partition: number; first: number; last: number; cutTo: number }[] = [];
  const ordered = files.toSorted((a, b) => a.partition - b.partition || a.first_sequence - b.first_sequence);
  for (const { partition, first_sequence, next_sequence, first_record, last_record } of ordered) {
    const first = first_record ?? first_sequence;
    const last = last_record ?? next_sequence - 1;
    const open = ranges.at(-1);
    if (open?.partition === partition && first_sequence <= open.cutTo) {
      open.last = Math.max(open.last, last);
      open.cutTo = Math.max(open.cutTo, next_sequence);
    } else ranges.push({ partition, first, last, cutTo: next_sequence });
  }
  return ranges.map(({ partition, first, last }) => ({
    partition: formatPartitionId(partition),
    first: String(first),
    last: String(last),
  }));
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

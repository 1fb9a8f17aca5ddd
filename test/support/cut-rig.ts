/** Writes cuts of given records into a store in memory, and looks whether what is said of the objects is true. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CONVERSION_LIMITS, type ConversionLimits, type Converters } from '../../src/dump/convert/conversion.ts';
import { convertCut } from '../../src/dump/convert/convert-cut.ts';
import type { FileSink, FileUploads } from '../../src/dump/convert/file-sink.ts';
import type { CutToWrite, WrittenCut } from '../../src/dump/cuts/cut.ts';
import { DEFAULTS, type DumpSettings } from '../../src/dump/settings/settings.ts';
import { writeCut } from '../../src/dump/cuts/write-cut.ts';
import { Gate } from '../../src/platform/gate.ts';
import type { GivenRecord } from './list-source.ts';
import { MemoryStore } from './memory-store.ts';

export const CREATED_AT = Date.UTC(2026, 10, 23, 10, 30);
export const BASE = `0123456789abcdefghi.orders.3.${CREATED_AT}`;
export const SETTINGS: DumpSettings = {
  ...DEFAULTS,
  agencyName: undefined,
  bucket: 'bucket',
  prefix: 'in/',
  partitionFormat: 'yyyy/MM',
  deliverSeconds: 60,
  deliverMegabytes: undefined,
  delimiter: '\n',
  consumerStrategy: 'LATEST',
  retrySeconds: undefined,
  form: { dataType: 'JSON', dataSchema: undefined, csvDelimiter: ',' },
};
export const BY_COUNTRY = { partitionFormat: '', pathTemplate: 'c={$.c}' } as const;
const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'r',
  fields: [
    { name: 'c', type: ['null', 'string'] },
    { name: 'n', type: 'long' },
  ],
});
export const TOLD = { dataType: 'JSON', dataSchema: SCHEMA, csvDelimiter: ',' } as const;

/** Converts in this thread: with limits of a test's own, without the price of a new thread. */
export function inThisThread(limits: Partial<ConversionLimits> = {}): Converters {
  const all = { ...CONVERSION_LIMITS, paths: 100, ...limits };
  return {
    convert: (cut, source, uploads) => convertCut({ ...cut, limits: all }, source, copying(uploads), new Gate(1)),
  };
}

/** Copies pieces, as the way to another thread does. */
function copying(uploads: FileUploads): FileSink {
  return {
    async open(file) {
      const upload = await uploads.open(file);
      return {
        write: (piece) => upload.write(Uint8Array.from(piece)),
        end: (contents) => upload.end(contents),
      };
    },
  };
}

export interface Writing {
  readonly settings?: Partial<DumpSettings>;
  readonly converters?: Converters;
  readonly store?: MemoryStore;
  readonly signal?: AbortSignal;
  readonly columns?: string;
}

function cutOf(source: CutToWrite['source'], settings: Partial<DumpSettings> = {}, columns?: string): CutToWrite {
  return {
    source,
    partition: 3,
    first: 0,
    next: 1_000_000,
    createdAt: CREATED_AT,
    baseName: BASE,
    bucket: 'bucket',
    settings: { ...SETTINGS, ...settings },
    columns,
  };
}

export async function write(source: CutToWrite['source'], writing: Writing = {}) {
  const { settings, columns, store = new MemoryStore(), signal = new AbortController().signal } = writing;
  const parts = { objects: store, compressing: new Gate(2), converters: writing.converters ?? inThisThread() };
  const cut = await writeCut(parts, cutOf(source, settings, columns), signal);
  assert.equal(store.running, 0);
  return { cut, store };
}

export function records(...texts: readonly string[]): GivenRecord[] {
  return texts.map((data, sequence) => ({ data, sequence, time: CREATED_AT }));
}

export const json = (c: unknown, n: number) => JSON.stringify({ c, n });

/** Names, places and sums of a written cut are those of the objects; returns the objects by key. */
export function audit(cut: WrittenCut, store: MemoryStore): Map<string, Buffer> {
  const found = new Map([...store.objects].map(([key, { bytes }]) => [key.replace(/^bucket\//, ''), bytes]));
  const expected = [...cut.files, ...(cut.deadLetters === undefined ? [] : [cut.deadLetters])];
  assert.deepEqual([...found.keys()].sort(), expected.map(({ key }) => key).sort());
  for (const { key, bytes, checksum, records: count } of expected) {
    assert.equal(bytes, found.get(key)!.length);
    assert.equal(checksum, `sha256:${createHash('sha256').update(found.get(key)!).digest('hex')}`);
    assert.ok(count > 0);
  }
  for (const { key, fileName, path } of cut.files) {
    assert.equal(key, ['in', path, fileName].filter((part) => part !== '').join('/'));
  }
  return found;
}

export const numbers = (letters: Buffer | undefined) =>
  (letters?.toString().trimEnd().split('\n') ?? []).map((line) =>
    Number((JSON.parse(line) as { sequence_number: string }).sequence_number),
  );

/** Eight records of five countries; held in memory they are about 200 bytes. */
export const EIGHT = records(...['a', 'b', 'c', 'a', 'd', 'b', 'e', 'a'].map(json));
/** Text, rows whose columns are found and rows whose columns are told. */
export const FORMS: Readonly<Record<string, Partial<DumpSettings>>> = {
  text: BY_COUNTRY,
  'found csv': { ...BY_COUNTRY, fileType: 'csv' },
  'told csv in one place': { fileType: 'csv', form: TOLD },
};

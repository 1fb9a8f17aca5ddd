import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { FileRow } from '../../catalog/dump-merges.ts';
import { DomainError } from '../../model/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { Gate } from '../../platform/gate.ts';
import { DEFAULTS, type DumpSettings } from '../settings/settings.ts';
import { AlteredInput, MergedFile } from './merged-file.ts';

/** Objects by key, given in pieces of `pieceBytes`. */
class Bucket {
  readonly objects = new Map<string, Buffer>();
  readonly #pieceBytes: number;
  reads = 0;
  open = 0;

  constructor(pieceBytes = 7) {
    this.#pieceBytes = pieceBytes;
  }

  get store(): ObjectStore {
    return {
      read: (_bucket: string, key: string) => this.#read(key),
      head: async (_bucket: string, key: string) => {
        const found = this.objects.get(key);
        return found === undefined ? undefined : { bytes: found.length, etag: '' };
      },
    } as unknown as ObjectStore;
  }

  add(content: Buffer): FileRow {
    const key = `file${this.objects.size}`;
    this.objects.set(key, content);
    return row(key, content);
  }

  async *#read(key: string) {
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new DomainError('ObjectStoreRefused', [key, 'no such key']);
    this.reads += 1;
    this.open += 1;
    try {
      for (let at = 0; at < bytes.length; at += this.#pieceBytes) yield bytes.subarray(at, at + this.#pieceBytes);
    } finally {
      this.open -= 1;
    }
  }
}

function row(key: string, content: Buffer): FileRow {
  const checksum = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { bucket: 'bucket', object_key: key, bytes: content.length, checksum } as FileRow;
}

const settings = (more: Partial<DumpSettings>) => ({ ...DEFAULTS, delimiter: '\n', ...more }) as DumpSettings;

async function merge(bucket: Bucket, inputs: readonly FileRow[], more: Partial<DumpSettings>) {
  const file = new MergedFile({ objects: bucket.store, compressing: new Gate(2) }, inputs, settings(more));
  const pieces: Buffer[] = [];
  for await (const piece of file.pieces()) pieces.push(Buffer.from(piece));
  const bytes = Buffer.concat(pieces);
  assert.equal(file.bytes, bytes.length);
  assert.ok(file.complete);
  assert.equal(bucket.open, 0, 'nothing is left open');
  return bytes;
}

const CODECS = {
  none: { encode: (bytes: Buffer) => bytes, decode: (bytes: Buffer) => bytes },
  gzip: { encode: (bytes: Buffer) => gzipSync(bytes), decode: (bytes: Buffer) => gunzipSync(bytes) },
  zstd: { encode: (bytes: Buffer) => zstdCompressSync(bytes), decode: (bytes: Buffer) => zstdDecompressSync(bytes) },
} as const;

for (const [name, { encode, decode }] of Object.entries(CODECS)) {
  const compression = name as keyof typeof CODECS;

  test(`text, ${name}: what is in a merged file is what was in its inputs`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        async (contents, pieceBytes) => {
          const bucket = new Bucket(pieceBytes);
          const inputs = contents.map((content) => bucket.add(encode(Buffer.from(content))));
          const merged = await merge(bucket, inputs, { compression });
          assert.deepEqual(decode(merged), Buffer.concat(contents));
          assert.equal(bucket.reads, contents.length, 'each input is read once');
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`CSV, ${name}: there is one header`, async () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '""', '\n', '\r\n', 'ü'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(fc.array(text, { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (column, files, pieceBytes) => {
          const header = `id,"${column}"\r\n`;
          const bodies = files.map((values) => values.map((value) => `1,"${value}"\r\n`).join(''));
          const merging = async (bytes: number) => {
            const bucket = new Bucket(bytes);
            return merge(
              bucket,
              bodies.map((body) => bucket.add(encode(Buffer.from(header + body)))),
              { fileType: 'csv', compression },
            );
          };
          const merged = await merging(pieceBytes);
          assert.equal(decode(merged).toString(), header + bodies.join(''));
          assert.deepEqual(await merging(1000), merged, 'the pieces of the store do not matter');
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`CSV, ${name}: other columns end it before them`, async () => {
    const bucket = new Bucket();
    const inputs = ['a,b\n1,2\n', 'a,b\n3,4\n', 'a,c\n5,6\n'].map((text) => bucket.add(encode(Buffer.from(text))));
    const parts = { objects: bucket.store, compressing: new Gate(2) };
    const file = new MergedFile(parts, inputs, settings({ fileType: 'csv', compression }));
    await assert.rejects(() => drain(file), /file2 has other columns/);
    assert.equal(file.otherColumns?.index, 2);
    assert.equal(bucket.open, 0);
  });

  test(`CSV, ${name}: without a header nothing is left out`, async () => {
    const bucket = new Bucket();
    const inputs = ['1,2\n', '3,4\n'].map((text) => bucket.add(encode(Buffer.from(text))));
    const merged = await merge(bucket, inputs, { fileType: 'csv', csvHeader: false, compression });
    assert.equal(decode(merged).toString(), '1,2\n3,4\n');
  });

  test(`CSV, ${name}: an input that is not what was stored fails it, and is named`, async () => {
    for (const alter of [
      (bytes: Buffer) => bytes.subarray(0, -1),
      (bytes: Buffer) => Buffer.concat([bytes, bytes]),
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -6), Buffer.from('99'), bytes.subarray(-4)]),
    ]) {
      const bucket = new Bucket();
      const inputs = ['a\n11111\n', 'a\n22222\n', 'a\n33333\n'].map((text) => bucket.add(encode(Buffer.from(text))));
      bucket.objects.set('file1', alter(bucket.objects.get('file1')!));
      const parts = { objects: bucket.store, compressing: new Gate(2) };
      const file = new MergedFile(parts, inputs, settings({ fileType: 'csv', compression }));
      await assert.rejects(() => drain(file));
      assert.ok(!file.complete);
      assert.match((await file.diagnose())?.message ?? '', /^file1 /);
      assert.equal(bucket.open, 0);
    }
  });
}

test('a missing input is told apart from a store that refuses', async () => {
  const bucket = new Bucket();
  const inputs = [bucket.add(Buffer.from('a\n')), row('gone', Buffer.from('b\n'))];
  const file = new MergedFile({ objects: bucket.store, compressing: new Gate(2) }, inputs, settings({}));
  await assert.rejects(() => drain(file), DomainError);
  const broken = await file.diagnose();
  assert.ok(broken instanceof AlteredInput);
  assert.match(broken.message, /gone is missing/);

  const refusing = { ...bucket.store, read: () => refuse(), head: () => Promise.reject(new Error('503')) };
  const other = new MergedFile({ objects: refusing, compressing: new Gate(2) }, inputs, settings({}));
  await assert.rejects(() => drain(other), /503/);
  assert.equal(await other.diagnose(), undefined);
});

async function drain(file: MergedFile): Promise<void> {
  const pieces = file.pieces();
  while ((await pieces.next()).done !== true);
}

async function* refuse(): AsyncGenerator<Uint8Array> {
  throw new Error('503');
}

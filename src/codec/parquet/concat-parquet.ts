/**
 * Several of our Parquet files of one schema as one: row groups are copied byte for byte, one file after the other, and a footer is
 * made of theirs with every offset moved. Nothing is decompressed or decoded; memory is the end of one file and the new footer.
 * The same files always make the same bytes.
 */
import { setImmediate } from 'node:timers/promises';
import { END_BYTES, encodeFooter, footerLength, footerOf } from './footer.ts';
import { ColumnChunk, ColumnMetaData, FileMetaData, MAGIC, RowGroup } from './format.ts';
import { i64, list, struct, ThriftReader, type EncodedThrift, type Thrift } from './thrift.ts';

export interface ParquetSource {
  /** Length of the file. */
  readonly bytes: number;
  /** The whole file. The memory of a piece may be used again for the next one. Called again for a file with a very long footer. */
  read(): AsyncIterable<Uint8Array>;
}

/** A file has another schema than those before it. */
export class OtherSchema extends Error {
  override readonly name = 'OtherSchema';
  /** Which file, from 0. */
  readonly index: number;

  constructor(index: number) {
    super(`file ${index} has other columns than the files before it`);
    this.index = index;
  }
}

/** Held back of each file until its footer is known to begin no earlier. */
const TAIL_BYTES = 4 * 1024 * 1024;

/** At least one file. Throws OtherSchema, and RangeError for what is no Parquet file of ours or not of the length that was told. */
export async function* concatParquet(
  sources: Iterable<ParquetSource> | AsyncIterable<ParquetSource>,
  tailBytes = TAIL_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  const joined = new JoinedFooter();
  let offset = MAGIC.length;
  yield MAGIC;
  for await (const source of sources) {
    const tailStart = Math.max(MAGIC.length, source.bytes - tailBytes);
    const tail = new Section(tailStart, source.bytes);
    yield* section(source, MAGIC.length, tailStart, tail);

    const footerStart = source.bytes - END_BYTES - footerLength(tail.bytes);
    if (footerStart < MAGIC.length) throw new RangeError('the footer is longer than its file');
    if (footerStart > tailStart) yield tail.bytes.subarray(0, footerStart - tailStart);
    // Where the footer is longer than what was held back, its beginning has been copied: bytes that nothing points at.
    const copied = Math.max(footerStart, tailStart) - MAGIC.length;
    const end = footerStart >= tailStart ? tail.bytes : await readSection(source, footerStart);
    await joined.add(footerOf(end), offset - MAGIC.length);
    offset += copied;
  }
  yield joined.finish();
}

/** A part of a file, in memory. */
class Section {
  readonly bytes: Buffer;
  readonly #start: number;

  constructor(start: number, end: number) {
    this.#start = start;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start));
  }

  /** Keeps what belongs to it of a piece that begins at byte `at` of the file. */
  keep(piece: Uint8Array, at: number): void {
    const skipped = Math.max(0, this.#start - at);
    if (skipped < piece.byteLength) this.bytes.set(piece.subarray(skipped), at + skipped - this.#start);
  }
}

/** Passes on bytes `from` to `to` (exclusive) of the file, and keeps what comes then. */
async function* section(source: ParquetSource, from: number, to: number, kept: Section): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of source.read()) {
    const end = at + piece.byteLength;
    if (end > source.bytes) throw new RangeError(`the file has more than ${source.bytes} bytes`);
    kept.keep(piece, at);
    const passed = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    if (passed.byteLength > 0) yield passed;
    at = end;
  }
  if (at !== source.bytes) throw new RangeError(`the file has ${at} bytes, not ${source.bytes}`);
}

async function readSection(source: ParquetSource, from: number): Promise<Buffer> {
  const kept = new Section(from, source.bytes);
  const rest = section(source, 0, 0, kept);
  while ((await rest.next()).done !== true);
  return kept.bytes;
}

class JoinedFooter {
  /** Fields of the first one but for those that are of all files. */
  #first: Readonly<Record<number, EncodedThrift>> | undefined;
  #files = 0;
  #rows = 0;
  readonly #rowGroups: Thrift[] = [];

  /** Adds a file whose bytes stand `shift` further on now. Others get their turn after each row group. */
  async add(footer: Buffer, shift: number): Promise<void> {
    const reader = new ThriftReader(footer);
    const fields: Record<number, EncodedThrift> = {};
    for (const id of reader.fields()) {
      if (id === FileMetaData.rows) this.#rows += reader.integer();
      else if (id !== FileMetaData.rowGroups) fields[id] = reader.value();
      else {
        this.#check(fields);
        for (const group of reader.items()) {
          this.#rowGroups.push(group.raised(OFFSETS, shift));
          await setImmediate();
        }
      }
    }
    this.#first ??= fields;
    this.#files += 1;
  }

  /** That the schema, which stands before the row groups, is that of the first file. */
  #check(fields: Readonly<Record<number, EncodedThrift>>): void {
    const schema = fields[FileMetaData.schema];
    if (schema === undefined) throw new RangeError('there is no schema before the row groups');
    const first = this.#first?.[FileMetaData.schema];
    if (first !== undefined && !schema.bytes.equals(first.bytes)) throw new OtherSchema(this.#files);
  }

  finish(): Buffer {
    if (this.#first === undefined) throw new RangeError('no file has no schema');
    const { rows, rowGroups } = FileMetaData;
    return encodeFooter(struct({ ...this.#first, [rows]: i64(this.#rows), [rowGroups]: list(this.#rowGroups) }));
  }
}

/** Of a row group, into the file. A column chunk's own is 0, which is none. */
const OFFSETS = {
  [RowGroup.columns]: {
    [ColumnChunk.metaData]: { [ColumnMetaData.dataPage]: true, [ColumnMetaData.dictionaryPage]: true },
  },
  [RowGroup.offset]: true,
} as const;

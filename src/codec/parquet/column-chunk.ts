/**
 * One leaf column of the open row group: takes its entries as they come, and makes pages of them. Held are the open page (at
 * most MAX_PAGE_BYTES of values and one row more), the dictionary, and the finished pages, compressed.
 */
import type { RowValue } from '../rows/row-schema.ts';
import type { Bounds, BoundsWatch } from './bounds.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { Dictionary } from './dictionary.ts';
import { ColumnMetaData, Encoding, PageType, PhysicalType } from './format.ts';
import { leafValues, type LeafValues } from './leaf-values.ts';
import { Levels } from './levels.ts';
import type { PageCompression } from './page-compression.ts';
import type { LeafColumn } from './parquet-schema.ts';
import { binary, bool, encodeThrift, i32, i64, list, struct, type Thrift } from './thrift.ts';

const MAX_PAGE_BYTES = 1024 * 1024;
/** Entries of a page, nulls included. */
const MAX_PAGE_ENTRIES = 20_000;

export interface FinishedChunk {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly uncompressedBytes: number;
  /** The ColumnMetaData of the chunk when it begins at this byte of the file. */
  metaData(offset: number): Thrift;
}

export class ColumnChunk {
  readonly #leaf: LeafColumn;
  readonly #values: LeafValues;
  readonly #compression: PageCompression;
  /** Where bodies of pages are put together; shared by the columns of a file. */
  readonly #body: ByteBuffer;
  readonly #definitions: Levels | undefined;
  readonly #repetitions: Levels | undefined;
  /** Of the open page, in PLAIN encoding, where there is no dictionary. */
  readonly #plain = new ByteBuffer();

  #watch!: BoundsWatch<RowValue>;
  #dictionary: Dictionary | undefined;
  /** The same once it takes no more values: its pages stay. */
  #closed: Dictionary | undefined;
  #pageEntries = 0;
  #pageBytes = 0;
  #entries = 0;
  #nulls = 0;
  #pages: Uint8Array[] = [];
  #dataPages = 0;
  #compressedBytes = 0;
  #uncompressedBytes = 0;

  constructor(leaf: LeafColumn, compression: PageCompression, body: ByteBuffer) {
    this.#leaf = leaf;
    this.#values = leafValues(leaf);
    this.#compression = compression;
    this.#body = body;
    this.#definitions = leaf.definition > 0 ? new Levels(leaf.definition) : undefined;
    this.#repetitions = leaf.repetition > 0 ? new Levels(leaf.repetition) : undefined;
    this.#begin();
  }

  #begin(): void {
    this.#watch = this.#values.watch();
    this.#dictionary = this.#values.dictionary ? new Dictionary(this.#values, this.#watch) : undefined;
    this.#closed = undefined;
    this.#entries = 0;
    this.#nulls = 0;
    this.#pages = [];
    this.#dataPages = 0;
    this.#compressedBytes = 0;
    this.#uncompressedBytes = 0;
  }

  /** Adds something that is not there, at a definition level below that of values. Returns the bytes it takes. */
  addNull(repetition: number, definition: number): number {
    this.#addLevels(repetition, definition);
    this.#nulls += 1;
    return 0;
  }

  /** Adds a value. Returns the bytes it takes in PLAIN encoding, in a dictionary too: what a reader makes of it. */
  add(value: RowValue, repetition: number): number {
    this.#addLevels(repetition, this.#leaf.definition);
    const dictionary = this.#dictionary;
    if (dictionary !== undefined) {
      const bytes = dictionary.add(value);
      this.#pageBytes += bytes;
      if (!dictionary.worthwhile()) this.#leaveDictionary(dictionary);
      return bytes;
    }
    const plain = this.#plain;
    const start = plain.length;
    this.#values.write(plain, value);
    this.#watch.see(value, plain.bytes, start + this.#values.prefix, plain.length);
    const bytes = plain.length - start;
    this.#pageBytes += bytes;
    return bytes;
  }

  #addLevels(repetition: number, definition: number): void {
    // A row is never cut: the page ends where the next row begins.
    if (repetition === 0 && (this.#pageEntries >= MAX_PAGE_ENTRIES || this.#pageBytes >= MAX_PAGE_BYTES))
      this.#cutPage();
    this.#pageEntries += 1;
    this.#entries += 1;
    this.#definitions?.add(definition);
    this.#repetitions?.add(repetition);
  }

  #leaveDictionary(dictionary: Dictionary): void {
    if (dictionary.pages > 0) {
      // It stays for the pages that were written by it, of which the open one is the last: it ends with this row.
      this.#closed = dictionary;
      this.#pageBytes = MAX_PAGE_BYTES;
      return;
    }
    dictionary.unfold(this.#plain);
    this.#dictionary = undefined;
  }

  #cutPage(): void {
    const first = this.#dictionary;
    if (first?.pages === 0 && first.size > 0 && !first.smaller(this.#pageBytes)) this.#leaveDictionary(first);
    const body = this.#body;
    body.clear();
    this.#repetitions?.flush(body);
    this.#definitions?.flush(body);
    const dictionary = this.#dictionary;
    // A page of nulls alone has no values in any encoding, and tells nothing of those to come.
    const folded = dictionary !== undefined && dictionary.size > 0;
    if (folded) dictionary.flush(body);
    else if (this.#leaf.physical === PhysicalType.boolean) packBits(body, this.#plain.written);
    else body.raw(this.#plain.written);
    this.#plain.clear();
    if (this.#closed !== undefined) this.#dictionary = undefined;

    this.#addPage(PageType.data, body.written, {
      5: struct({
        1: i32(this.#pageEntries),
        2: i32(folded ? Encoding.rleDictionary : Encoding.plain),
        3: i32(Encoding.rle),
        4: i32(Encoding.rle),
      }),
    });
    this.#dataPages += 1;
    this.#pageEntries = 0;
    this.#pageBytes = 0;
  }

  #addPage(type: PageType, body: Uint8Array, header: Readonly<Record<number, Thrift>>): void {
    const compressed = this.#compression.compress(body);
    const head = encodeThrift(struct({ 1: i32(type), 2: i32(body.length), 3: i32(compressed.length), ...header }));
    if (type === PageType.dictionary) this.#pages.unshift(head, compressed);
    else this.#pages.push(head, compressed);
    this.#compressedBytes += head.length + compressed.length;
    this.#uncompressedBytes += head.length + body.length;
  }

  /** The chunk of what has been added since the last one, at least one entry. */
  finish(): FinishedChunk {
    this.#cutPage();
    const dictionary = this.#closed ?? this.#dictionary;
    const folded = dictionary?.pages ?? 0;
    const before = this.#compressedBytes;
    if (dictionary !== undefined && folded > 0) {
      const header = struct({ 1: i32(dictionary.size), 2: i32(Encoding.plain) });
      this.#addPage(PageType.dictionary, dictionary.plain, { 7: header });
    }
    const dictionaryBytes = this.#compressedBytes - before;
    const fields = this.#fields(folded, this.#dataPages - folded);
    const chunk = {
      pieces: this.#pages,
      bytes: this.#compressedBytes,
      uncompressedBytes: this.#uncompressedBytes,
      metaData: (offset: number) =>
        struct({
          ...fields,
          [ColumnMetaData.dataPage]: i64(offset + dictionaryBytes),
          [ColumnMetaData.dictionaryPage]: folded > 0 ? i64(offset) : undefined,
        }),
    };
    this.#begin();
    return chunk;
  }

  /** Of the ColumnMetaData, but for where the pages are. */
  #fields(foldedPages: number, plainPages: number): Readonly<Record<number, Thrift>> {
    const { physical, path } = this.#leaf;
    const encodings = [Encoding.plain, Encoding.rle, ...(foldedPages > 0 ? [Encoding.rleDictionary] : [])];
    const pages: readonly (readonly [PageType, Encoding, number])[] = [
      [PageType.dictionary, Encoding.plain, foldedPages > 0 ? 1 : 0],
      [PageType.data, Encoding.rleDictionary, foldedPages],
      [PageType.data, Encoding.plain, plainPages],
    ];
    const counted = pages.filter(([, , count]) => count > 0);
    return {
      [ColumnMetaData.type]: i32(physical),
      [ColumnMetaData.encodings]: list(encodings.map(i32)),
      [ColumnMetaData.path]: list(path.map((name) => binary(name))),
      [ColumnMetaData.codec]: i32(this.#compression.codec),
      [ColumnMetaData.values]: i64(this.#entries),
      [ColumnMetaData.bytes]: i64(this.#uncompressedBytes),
      [ColumnMetaData.compressedBytes]: i64(this.#compressedBytes),
      [ColumnMetaData.statistics]: statistics(this.#nulls, this.#watch.bounds()),
      [ColumnMetaData.encodingStats]: list(
        counted.map(([type, encoding, count]) => struct({ 1: i32(type), 2: i32(encoding), 3: i32(count) })),
      ),
    };
  }
}

function statistics(nulls: number, bounds: Bounds | undefined): Thrift {
  if (bounds === undefined) return struct({ 3: i64(nulls) });
  const { min, max, minExact, maxExact } = bounds;
  return struct({ 3: i64(nulls), 5: binary(max), 6: binary(min), 7: bool(maxExact), 8: bool(minExact) });
}

/** Booleans of a byte each as bits, the first one lowest. */
function packBits(to: ByteBuffer, booleans: Uint8Array): void {
  for (let at = 0; at < booleans.length; at += 8) {
    let byte = 0;
    for (let bit = 0; bit < 8 && at + bit < booleans.length; bit += 1) byte |= booleans[at + bit]! << bit;
    to.byte(byte);
  }
}

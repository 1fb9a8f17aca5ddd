/**
 * The bytes of a merged file, made of those of its inputs while they are read from the store. Each input is checked on
 * the way against what its row says; memory is a few pieces. The same inputs always make the same bytes.
 *
 * Text is put together as it is: members of gzip and frames of zstd follow each other by their formats. Of CSV files with
 * a header the first one's is kept; compressed ones are taken apart for it and compressed again. Of Parquet files the row
 * groups are copied as they are (codec/parquet/concat-parquet.ts).
 */
import { createHash } from 'node:crypto';
import type { FileRow } from '../../catalog/dump-merges.ts';
import { compressed } from '../../codec/file-compression.ts';
import { decompressed } from '../../codec/file-decompression.ts';
import { concatParquet, OtherSchema } from '../../codec/parquet/concat-parquet.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { Gate } from '../../platform/gate.ts';
import type { DumpSettings } from '../settings/settings.ts';
import { behindHeader } from './csv-header.ts';
import { inPiecesOf } from './pieces.ts';

export interface MergeParts {
  readonly objects: ObjectStore;
  /** See CutWriterParts. */
  readonly compressing: Gate;
}

/** An object is not what its row says it is: no merge can be made of it. */
export class AlteredInput extends Error {
  override readonly name = 'AlteredInput';
}

/** The columns of an input are not those of the ones before it: a merge can have the ones before it only. */
export class OtherColumns extends Error {
  override readonly name = 'OtherColumns';
  /** Index of the input, from 1. */
  readonly index: number;

  constructor(index: number, key: string) {
    super(`${key} has other columns than the files before it`);
    this.index = index;
  }
}

type Bytes = AsyncIterable<Uint8Array>;

/** Bytes that are compressed at a time. */
const PIECE_BYTES = 1024 * 1024;

export class MergedFile {
  readonly #parts: MergeParts;
  readonly #inputs: readonly FileRow[];
  readonly #settings: DumpSettings;
  /** The input that is read at the moment, or was when it ended. */
  #reading: FileRow | undefined;
  /** Bytes handed over so far. */
  bytes = 0;
  /** True once the last byte has been handed over. */
  complete = false;
  /** Set when that is why it ended early. */
  otherColumns: OtherColumns | undefined;

  /** `settings` are those of the inputs: of one form. */
  constructor(parts: MergeParts, inputs: readonly FileRow[], settings: DumpSettings) {
    this.#parts = parts;
    this.#inputs = inputs;
    this.#settings = settings;
  }

  /** To be walked once. Throws AlteredInput, OtherColumns and what the store throws. */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const piece of this.#merged()) {
        this.bytes += piece.byteLength;
        yield piece;
      }
      this.complete = true;
    } catch (error) {
      if (error instanceof OtherColumns) this.otherColumns = error;
      if (error instanceof OtherSchema) this.otherColumns = this.#otherColumns(error.index);
      throw error;
    }
  }

  /**
   * After a failure: looks again at the input at which it happened. Resolves to what is wrong with that for good, or to
   * undefined when it is what it should be, or when the store does not tell.
   */
  async diagnose(): Promise<AlteredInput | undefined> {
    const input = this.#reading;
    if (input === undefined) return undefined;
    try {
      if ((await this.#parts.objects.head(input.bucket, input.object_key)) === undefined) {
        return new AlteredInput(`${input.object_key} is missing`);
      }
      await drain(checkedBytes(this.#parts.objects, input));
      return undefined;
    } catch (error) {
      return error instanceof AlteredInput ? error : undefined;
    }
  }

  #merged(): Bytes {
    const { fileType, compression, csvHeader } = this.#settings;
    if (fileType === 'parquet') {
      return concatParquet(this.#inputs.map((input) => ({ bytes: input.bytes, read: () => this.#read(input) })));
    }
    if (fileType !== 'csv' || !csvHeader) return this.#oneAfterTheOther();
    if (compression !== 'gzip' && compression !== 'zstd') return this.#underOneHeader((bytes) => bytes);
    const lines = this.#underOneHeader((bytes) => decompressed(bytes, compression));
    return compressed(inPiecesOf(PIECE_BYTES, lines), compression, this.#parts.compressing);
  }

  async *#oneAfterTheOther(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const input of this.#inputs) yield* this.#read(input);
  }

  async *#underOneHeader(decode: (bytes: Bytes) => Bytes): AsyncGenerator<Uint8Array, void, undefined> {
    let common: Buffer | undefined;
    for (const [index, input] of this.#inputs.entries()) {
      const onHeader = (header: Buffer) => {
        common ??= header;
        if (!header.equals(common)) throw this.#otherColumns(index);
      };
      yield* behindHeader(decode(this.#read(input)), { keep: index === 0, onHeader });
    }
  }

  #otherColumns(index: number): OtherColumns {
    return new OtherColumns(index, this.#inputs[index]?.object_key ?? '');
  }

  #read(input: FileRow): Bytes {
    this.#reading = input;
    return checkedBytes(this.#parts.objects, input);
  }
}

/** The bytes of an object, which are those that its row tells of. Throws AlteredInput at the end if they are not. */
async function* checkedBytes(objects: ObjectStore, { bucket, object_key: key, bytes, checksum }: FileRow) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of objects.read(bucket, key)) {
    hash.update(piece);
    length += piece.byteLength;
    yield piece;
  }
  if (length !== bytes) throw new AlteredInput(`${key} has ${length} bytes where ${bytes} were stored`);
  if (`sha256:${hash.digest('hex')}` !== checksum) throw new AlteredInput(`${key} is not what was stored`);
}

async function drain(bytes: Bytes): Promise<void> {
  const pieces = bytes[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}

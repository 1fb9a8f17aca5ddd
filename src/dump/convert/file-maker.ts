/** Makes the bytes of files from their records, as the settings of the task say. */
import { CsvFileEncoder } from '../../codec/rows/csv-file.ts';
import type { RowFileEncoder } from '../../codec/rows/file-encoder.ts';
import type { Row, RowSchema } from '../../codec/rows/row-schema.ts';
import { compressed } from '../../codec/file-compression.ts';
import { ParquetFileEncoder } from '../../codec/parquet/parquet-file.ts';
import { TextFileEncoder } from '../../codec/text.ts';
import { FrameReader } from '../../model/record-batch.ts';
import { inBlocks } from '../../objects/blocks.ts';
import type { Gate } from '../../platform/gate.ts';
import type { DumpSettings } from '../settings/settings.ts';
import type { RowReader } from './record-reader.ts';
import type { Run } from './sorted-records.ts';

/** What goes into a compressor at a time: always the same, so that the same file always has the same bytes. */
const CHUNK_BYTES = 1024 * 1024;
/** Rows that are handed to an encoder at a time. */
const ROWS_AT_A_TIME = 512;

export class FileMaker {
  readonly #settings: DumpSettings;
  readonly #gate: Gate;

  /** `gate` bounds what is compressed at a time. */
  constructor(settings: DumpSettings, gate: Gate) {
    this.#settings = settings;
    this.#gate = gate;
  }

  /** A text file of payloads. A piece stays until the next but one is asked for. */
  textOfRuns(runs: AsyncIterable<Run>): AsyncIterable<Uint8Array> {
    return this.#compressed(textChunks(runs, this.#settings.delimiter));
  }

  /** A text file whose text is there already. */
  text(text: Buffer): AsyncIterable<Uint8Array> {
    return this.#compressed(inPieces(text));
  }

  /** A file of rows. */
  rowsOfRuns(runs: AsyncIterable<Run>, schema: RowSchema, read: RowReader): AsyncIterable<Uint8Array> {
    return this.rows(schema, rowsOf(runs, read));
  }

  rows(schema: RowSchema, rows: AsyncIterable<readonly Row[]>): AsyncIterable<Uint8Array> {
    const pieces = encode(this.#encoder(schema), rows);
    const { fileType, compression } = this.#settings;
    if (fileType === 'parquet' || compression === 'none') return pieces;
    return this.#compressed(inBlocks(pieces, CHUNK_BYTES));
  }

  #encoder(schema: RowSchema): RowFileEncoder {
    const { fileType, compression, csvHeader } = this.#settings;
    if (fileType === 'parquet') return new ParquetFileEncoder({ schema, compression });
    return new CsvFileEncoder({ schema, header: csvHeader });
  }

  #compressed(chunks: AsyncIterable<Buffer>): AsyncIterable<Uint8Array> {
    const { compression } = this.#settings;
    return compression === 'gzip' || compression === 'zstd' ? compressed(chunks, compression, this.#gate) : chunks;
  }
}

/** Gathers rows until it is worth while to hand them over. */
export class RowBatch {
  #rows: Row[] = [];

  /** True when the batch is full: it is to be taken then. */
  add(row: Row): boolean {
    this.#rows.push(row);
    return this.#rows.length >= ROWS_AT_A_TIME;
  }

  take(): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}

async function* rowsOf(runs: AsyncIterable<Run>, read: RowReader): AsyncGenerator<readonly Row[], void, undefined> {
  const batch = new RowBatch();
  for await (const { frames, count } of runs) {
    const frame = new FrameReader(frames);
    for (let record = 0; record < count; record += 1) {
      if (!frame.next()) throw new RangeError(`${record} frames where ${count} were promised`);
      if (batch.add(read(frame))) yield batch.take();
    }
  }
  yield batch.take();
}

async function* encode(
  encoder: RowFileEncoder,
  rows: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const some of rows) if (some.length > 0) yield* await encoder.add(some);
  yield* await encoder.finish();
}

async function* textChunks(runs: AsyncIterable<Run>, delimiter: string): AsyncGenerator<Buffer, void, undefined> {
  const encoder = new TextFileEncoder(delimiter, CHUNK_BYTES);
  for await (const { frames, count } of runs) yield* encoder.encode(frames, count);
  const rest = encoder.finish();
  if (rest.length > 0) yield rest;
}

async function* inPieces(text: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < text.length; at += CHUNK_BYTES) yield text.subarray(at, at + CHUNK_BYTES);
}

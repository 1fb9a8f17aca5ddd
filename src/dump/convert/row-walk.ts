/** The one walk over the records of a cut that all become rows of the same file, but for the dead letters among them. */
import type { Row, RowSchema } from '../../codec/rows/row-schema.ts';
import { ConversionError } from '../../model/conversion-error.ts';
import { FrameReader } from '../../model/record-batch.ts';
import type { CutSource } from '../cuts/cut.ts';
import type { Place } from '../paths/path-finder.ts';
import type { DeadLetterFile } from './dead-letter-file.ts';
import { RowBatch, type FileMaker } from './file-maker.ts';
import type { FileSink } from './file-sink.ts';
import type { RowReader } from './record-reader.ts';

export class RowWalk {
  readonly #source: CutSource;
  readonly #read: RowReader;
  readonly #dead: DeadLetterFile;
  /** Exclusive end of what was looked at. */
  next = 0;
  #records = 0;
  #firstRecord = -1;
  #lastRecord = -1;

  constructor(source: CutSource, read: RowReader, dead: DeadLetterFile) {
    this.#source = source;
    this.#read = read;
    this.#dead = dead;
  }

  /** There is no file when no record could be converted. */
  async write(sink: FileSink, place: Place, maker: FileMaker, schema: RowSchema): Promise<void> {
    const rows = this.#rows();
    const first = await rows.next();
    if (first.done === true) return;
    const writer = await sink.open({ kind: 'file', index: 0, place });
    for await (const piece of maker.rows(schema, followedBy(first.value, rows))) await writer.write(piece);
    await writer.end({ records: this.#records, firstRecord: this.#firstRecord, lastRecord: this.#lastRecord });
  }

  /** Batches that are not empty. */
  async *#rows(): AsyncGenerator<readonly Row[], void, undefined> {
    const batch = new RowBatch();
    for await (const blocks of this.#source.batches()) {
      for (const { firstSequence, count, time, frames } of blocks) {
        const frame = new FrameReader(frames);
        this.next = firstSequence + count;
        for (let sequence = firstSequence; sequence < this.next; sequence += 1) {
          if (!frame.next()) throw new RangeError(`fewer frames than the ${count} that were promised`);
          const row = this.#row(frame, sequence, time);
          if (row === undefined) continue;
          if (this.#records === 0) this.#firstRecord = sequence;
          this.#records += 1;
          this.#lastRecord = sequence;
          if (batch.add(row)) yield batch.take();
        }
      }
      await this.#dead.relieve();
    }
    const rest = batch.take();
    if (rest.length > 0) yield rest;
  }

  #row(frame: FrameReader, sequence: number, time: number): Row | undefined {
    try {
      return this.#read(frame);
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      this.#dead.add(frame, sequence, time, error.message);
      return undefined;
    }
  }
}

async function* followedBy<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield first;
  yield* rest;
}

/** The records of a cut as one text file, made while they are walked. */
import { TextFileEncoder } from '../../codec/text.ts';
import type { CutSource } from './cut.ts';

export class TextWalk {
  readonly #source: CutSource;
  readonly #delimiter: string;
  records = 0;
  /** Sequence numbers, inclusive; -1 before the first record. */
  firstRecord = -1;
  lastRecord = -1;

  constructor(source: CutSource, delimiter: string) {
    this.#source = source;
    this.#delimiter = delimiter;
  }

  /** The bytes of the file; see TextFileEncoder for how long a chunk stays. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const encoder = new TextFileEncoder(this.#delimiter);
    for await (const blocks of this.#source.batches()) {
      for (const { firstSequence, count, frames } of blocks) {
        if (this.firstRecord < 0) this.firstRecord = firstSequence;
        this.lastRecord = firstSequence + count - 1;
        this.records += count;
        yield* encoder.encode(frames, count);
      }
    }
    const rest = encoder.finish();
    if (rest.length > 0) yield rest;
  }
}

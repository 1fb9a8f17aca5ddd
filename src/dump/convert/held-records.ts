/** The records of a cut kept in memory, as long as they are few. */
import type { RecordBlock } from '../../model/record-batch.ts';
import type { CutSource } from '../cuts/cut.ts';

export class HeldRecords {
  readonly #most: number;
  #blocks: RecordBlock[] | undefined = [];
  #bytes = 0;

  /** `most`: bytes that may be held. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Copies a block; from the first one on that is too much, nothing is held any more. */
  add(block: RecordBlock): void {
    if (this.#blocks === undefined) return;
    this.#bytes += block.frames.length;
    if (this.#bytes > this.#most) this.#blocks = undefined;
    else this.#blocks.push({ ...block, frames: Buffer.from(block.frames) });
  }

  /** What is held as a source, or `source` if it was too much. */
  or(source: CutSource): CutSource {
    const blocks = this.#blocks;
    if (blocks === undefined) return source;
    return {
      async *batches() {
        yield blocks;
      },
    };
  }
}

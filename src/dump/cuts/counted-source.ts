/** A source of records that remembers what became of its walks, whatever those who walked it make of that. */
import type { RecordBlock } from '../../model/record-batch.ts';
import type { CutSource } from './cut.ts';
import { LostRecords } from './log-source.ts';

export class CountedSource implements CutSource {
  readonly #source: CutSource;
  /** Different records that were given so far. */
  records = 0;
  lost: LostRecords | undefined;

  constructor(source: CutSource) {
    this.#source = source;
  }

  async *batches(): AsyncGenerator<readonly RecordBlock[], void, undefined> {
    let given = 0;
    try {
      for await (const blocks of this.#source.batches()) {
        for (const { count } of blocks) given += count;
        this.records = Math.max(this.records, given);
        yield blocks;
      }
    } catch (error) {
      if (error instanceof LostRecords) this.lost = error;
      throw error;
    }
  }
}

/** Records of a cut from a list, in blocks that a test chooses; the memory of what was yielded is overwritten afterwards. */
import type { RecordBlock } from '../../src/model/record-batch.ts';
import type { CutSource } from '../../src/dump/cuts/cut.ts';
import { batchOf, type PlainRecord } from './records.ts';

export interface GivenRecord extends PlainRecord {
  readonly sequence: number;
  /** Arrival in ms. */
  readonly time: number;
}

export class ListSource implements CutSource {
  readonly #batches: readonly (readonly RecordBlock[])[];
  walks = 0;
  /** Called before each batch of a walk; false ends the walk there. */
  onBatch: (walk: number, batch: number) => boolean | Promise<boolean> = () => true;

  /** Blocks end where numbers or times do not go on, and after `sizes` records in turn; each batch has two. */
  constructor(records: readonly GivenRecord[], sizes: readonly number[] = [3]) {
    const blocks: GivenRecord[][] = [];
    for (const record of records) {
      const block = blocks.at(-1);
      const last = block?.at(-1);
      const full = block?.length === sizes[(blocks.length - 1) % sizes.length];
      const follows = last !== undefined && record.sequence === last.sequence + 1 && record.time === last.time;
      if (follows && !full) block!.push(record);
      else blocks.push([record]);
    }
    const ref = { stream: 1, partition: 0 };
    const packed = blocks.map((block): RecordBlock => {
      const { sequence: firstSequence, time } = block[0]!;
      return { firstSequence, time, count: block.length, frames: batchOf(ref, block).frames };
    });
    this.#batches = packed.flatMap((_, index) => (index % 2 === 0 ? [packed.slice(index, index + 2)] : []));
  }

  async *batches(): AsyncGenerator<readonly RecordBlock[], void, undefined> {
    const walk = this.walks;
    this.walks += 1;
    for (const [index, batch] of this.#batches.entries()) {
      if (!(await this.onBatch(walk, index))) return;
      const lent = batch.map((block) => ({ ...block, frames: Buffer.from(block.frames) }));
      yield lent;
      for (const { frames } of lent) frames.fill(0xee);
    }
  }
}

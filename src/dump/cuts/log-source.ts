/**
 * The records of a cut, read from the record log: two reads are held, whatever the size of the cut; while one is worked
 * on the next is on its way.
 *
 * It gives exactly the planned records or fails, with one exception: when records in the middle cannot be read back
 * (damaged, or expired since), it ends before them. So as little as possible is lost, and the records behind go into the
 * next cut. When not even the first record can be read back, LostRecords tells what is gone.
 */
import { isDomainError } from '../../model/errors.ts';
import type { PartitionRef } from '../../model/stream.ts';
import { BufferLoan, type BufferPool } from '../../platform/buffer-pool.ts';
import { DamagedRecords, type RecordBlock, type RecordLog } from '../../recordlog/record-log.ts';
import type { CutSource } from './cut.ts';

export interface LogRange {
  readonly ref: PartitionRef;
  readonly first: number;
  /** Exclusive. */
  readonly next: number;
}

export interface LogSourceParts {
  readonly recordLog: RecordLog;
  /** Where records are read to. */
  readonly buffers: BufferPool;
}

/** The records of a cut from its first on are gone, up to `to` (exclusive). */
export class LostRecords extends Error {
  override readonly name = 'LostRecords';
  readonly to: number;

  constructor(to: number, cause: Error) {
    super(cause.message, { cause });
    this.to = to;
  }
}

const READ_BYTES = 1024 * 1024;

export class LogSource implements CutSource {
  readonly #recordLog: RecordLog;
  readonly #buffers: BufferPool;
  readonly #range: LogRange;

  constructor({ recordLog, buffers }: LogSourceParts, range: LogRange) {
    this.#recordLog = recordLog;
    this.#buffers = buffers;
    this.#range = range;
  }

  async *batches(): AsyncGenerator<readonly RecordBlock[], void, undefined> {
    const { first, next } = this.#range;
    let due = first;
    let ahead = this.#read(due);
    let { loan } = ahead;
    try {
      while (due < next) {
        const blocks = await this.#readable(ahead.blocks, due);
        if (blocks === undefined) return;
        for (const block of blocks) {
          if (block.firstSequence !== due)
            throw new Error(`the log gave record ${block.firstSequence} where ${due} was due`);
          due += block.count;
        }
        if (due < next) ahead = this.#read(due);
        yield due > next ? withoutTail(blocks, next) : blocks;
        loan.giveBack();
        ({ loan } = ahead);
      }
    } finally {
      // Whoever walks has stopped, maybe while the log still writes to what it was lent.
      await Promise.allSettled([ahead.blocks]);
      loan.giveBack();
      ahead.loan.giveBack();
    }
  }

  #read(from: number): { readonly blocks: Promise<RecordBlock[]>; readonly loan: BufferLoan } {
    const loan = new BufferLoan(this.#buffers);
    const blocks = this.#recordLog.read(this.#range.ref, from, READ_BYTES, { allocate: loan.take });
    // Awaited later, or never if the upload fails meanwhile: then its failure is nobody's.
    blocks.catch(() => undefined);
    return { blocks, loan };
  }

  /** The blocks of a read, or undefined when the cut ends here because what follows is gone. */
  async #readable(reading: Promise<RecordBlock[]>, due: number): Promise<RecordBlock[] | undefined> {
    try {
      const blocks = await reading;
      if (blocks.length === 0) throw new Error(`the log has nothing at record ${due}`);
      return blocks;
    } catch (error) {
      const to = await this.#endOfLoss(error, due);
      if (to === undefined) throw error;
      if (due > this.#range.first) return undefined;
      throw new LostRecords(to, error as Error);
    }
  }

  /** Up to where records are gone for good, if that is what an error of the log says. */
  async #endOfLoss(error: unknown, due: number): Promise<number | undefined> {
    if (!(error instanceof DamagedRecords) && !isDomainError(error, 'SequenceNumberOutOfRange')) return undefined;
    const { first, next } = await this.#recordLog.bounds(this.#range.ref);
    if (error instanceof DamagedRecords) return Math.min(Math.max(error.to, due + 1), next);
    return first > due ? first : undefined;
  }
}

/** Blocks without the records from `next` on; a block that is cut says so by its count, its frames stay whole. */
function withoutTail(blocks: readonly RecordBlock[], next: number): RecordBlock[] {
  return blocks
    .filter(({ firstSequence }) => firstSequence < next)
    .map((block) => ({ ...block, count: Math.min(block.count, next - block.firstSequence) }));
}

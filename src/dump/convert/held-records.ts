/** The records of a cut kept in memory, as long as they are few. */
import type { RecordBlock } from '../../model/record-batch.ts';
import type { CutSource } from '../cuts/cut.ts';

/** Memory is taken by the piece; a block that is longer has one of its own. */
const PIECE_BYTES = 256 * 1024;

/** Blocks one behind the other: a put of one record is a block, and half a million objects would weigh far more than its bytes. */
interface Piece {
  readonly frames: Buffer;
  used: number;
  /** Of each block its first sequence number, count, time and bytes. */
  readonly blocks: number[];
}

export class HeldRecords {
  readonly #most: number;
  #pieces: Piece[] | undefined = [];
  #bytes = 0;

  /** `most`: bytes of records that may be held; each block costs 32 more. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Copies a block; from the first one on that is too much, nothing is held any more. */
  add({ firstSequence, count, time, frames }: RecordBlock): void {
    if (this.#pieces === undefined) return;
    this.#bytes += frames.length;
    if (this.#bytes > this.#most) {
      this.#pieces = undefined;
      return;
    }
    let piece = this.#pieces.at(-1);
    if (piece === undefined || piece.frames.length - piece.used < frames.length) {
      piece = { frames: Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, frames.length)), used: 0, blocks: [] };
      this.#pieces.push(piece);
    }
    piece.used += frames.copy(piece.frames, piece.used);
    piece.blocks.push(firstSequence, count, time, frames.length);
  }

  /** What is held as a source, or `source` if it was too much. */
  or(source: CutSource): CutSource {
    const pieces = this.#pieces;
    if (pieces === undefined) return source;
    return {
      async *batches() {
        for (const piece of pieces) yield blocksOf(piece);
      },
    };
  }
}

function blocksOf({ frames, blocks }: Piece): RecordBlock[] {
  const found: RecordBlock[] = [];
  let start = 0;
  for (let at = 0; at < blocks.length; at += 4) {
    const [firstSequence, count, time, bytes] = blocks.slice(at, at + 4) as [number, number, number, number];
    found.push({ firstSequence, count, time, frames: frames.subarray(start, start + bytes) });
    start += bytes;
  }
  return found;
}

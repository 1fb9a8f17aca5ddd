/**
 * How many bytes lie between two numbers of a partition, without reading them: Kafka does not tell, so it is learned
 * from what passes by, which is this node's own appends and reads. What other nodes appended beside it is taken to be
 * alike, up to sixteen records for each one that was seen. Payloads of one stream are alike, so that a file cut by these
 * figures comes out near its size.
 *
 * Held are pieces of about 128 KiB, the newest 512 of a partition: some 30 kilobytes each.
 */
interface Piece {
  readonly from: number;
  /** Exclusive. */
  to: number;
  bytes: number;
  /** How many of its records were seen. */
  seen: number;
}

/** What is known of the records from some number on. */
export interface Stretch {
  /** Exclusive end of what this tells about, maybe Infinity. */
  readonly to: number;
  /** Bytes of one record; undefined when nothing is known of these. */
  readonly average: number | undefined;
}

const PIECE_BYTES = 128 * 1024;
const PIECES = 512;
export const STANDS_FOR = 16;

export class Sizes {
  readonly #partitions = new Map<string, Piece[]>();

  /** Records [from, to), of which `seen` were looked at, take so many bytes. What was known before stays. */
  learn(key: string, from: number, to: number, bytes: number, seen = to - from): void {
    let pieces = this.#partitions.get(key);
    if (pieces === undefined) this.#partitions.set(key, (pieces = []));
    const index = indexBehind(pieces, from);
    const behind = pieces[index];
    const begin = behind !== undefined && behind.from <= from ? behind.to : from;
    const place = begin === from ? index : index + 1;
    const end = Math.min(to, pieces[place]?.from ?? Infinity);
    if (begin >= end) return;
    const share = (end - begin) / (to - from);
    const piece: Piece = { from: begin, to: end, bytes: bytes * share, seen: seen * share };
    const before = pieces[place - 1];
    if (before === undefined || !join(before, piece)) pieces.splice(place, 0, piece);
    if (pieces.length > PIECES) pieces.shift();
  }

  /** What is known of records from `at` on, up to where that changes. */
  at(key: string, at: number): Stretch {
    const pieces = this.#partitions.get(key) ?? [];
    const index = indexBehind(pieces, at);
    const piece = pieces[index];
    if (piece !== undefined && piece.from <= at)
      return { to: piece.to, average: piece.bytes / (piece.to - piece.from) };
    const to = piece?.from ?? Infinity;
    const before = pieces[index - 1];
    if (before === undefined) return { to, average: undefined };
    const covered = before.to + allowance(before) + allowance(pieces[index - 2]);
    if (covered <= at) return { to, average: undefined };
    return { to: Math.min(to, Math.floor(covered)), average: before.bytes / (before.to - before.from) };
  }

  forgetStream(stream: number): void {
    for (const key of this.#partitions.keys()) if (key.startsWith(`${stream}/`)) this.#partitions.delete(key);
  }
}

/** Adds a piece to the one before it, and what lies between them, if that one is small and this one near. */
function join(before: Piece, piece: Piece): boolean {
  const gap = piece.from - before.to;
  if (before.bytes >= PIECE_BYTES || gap > allowance(before) + allowance(piece)) return false;
  const average = (piece.bytes + before.bytes) / (piece.to - piece.from + before.to - before.from);
  before.to = piece.to;
  before.bytes += piece.bytes + gap * average;
  before.seen += piece.seen;
  return true;
}

/** For how many more records those seen can stand. */
function allowance(piece: Piece | undefined): number {
  return piece === undefined ? 0 : Math.max(0, piece.seen * STANDS_FOR - (piece.to - piece.from - piece.seen));
}

/** Index of the first piece that ends behind `at`. */
function indexBehind(pieces: readonly Piece[], at: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle]!.to <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first line of a CSV file, which may have line breaks within quotes (RFC 4180). */

export interface HeaderOptions {
  /** Whether the header is yielded too. */
  readonly keep: boolean;
  /** Told the header, with its line break (all of the file when it has none), before anything behind it is yielded. */
  readonly onHeader: (header: Buffer) => void;
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** The bytes of the file, with its header or without it. Throws what `onHeader` throws. */
export async function* behindHeader(
  bytes: AsyncIterable<Uint8Array>,
  { keep, onHeader }: HeaderOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header: Buffer[] = [];
  let quoted = false;
  let found = false;
  for await (const piece of bytes) {
    if (found) {
      yield piece;
      continue;
    }
    let end = 0;
    while (end < piece.byteLength && !found) {
      // A quote within quotes is written twice, which turns it off and on again.
      if (piece[end] === QUOTE) quoted = !quoted;
      found = piece[end] === LINE_FEED && !quoted;
      end += 1;
    }
    header.push(Buffer.from(piece.subarray(0, end)));
    if (!found) continue;
    onHeader(Buffer.concat(header));
    if (keep) yield Buffer.concat(header);
    if (end < piece.byteLength) yield piece.subarray(end);
  }
  if (found) return;
  onHeader(Buffer.concat(header));
  if (keep) yield Buffer.concat(header);
}

/** Bytes cut anew: what is made of them must not depend on the pieces in which a store happens to give them. */

/** Pieces of `size` bytes but for the last one, each in memory of its own. */
export async function* inPiecesOf(
  size: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let piece = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const part of bytes) {
    for (let from = 0; from < part.byteLength;) {
      const taken = Math.min(size - filled, part.byteLength - from);
      piece.set(part.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled < size) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(size);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

/** The other way from file-compression.ts: the bytes of files as they were before. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** All members of gzip and all frames of zstd, one after the other. Errors of `bytes` are rethrown as they are. */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
): AsyncGenerator<Buffer, void, undefined> {
  const codec = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  // What goes wrong on either side destroys the other one; the reader below is told.
  pipeline(Readable.from(bytes, { objectMode: true, highWaterMark: 1 }), codec, () => undefined);
  for await (const piece of codec) yield piece as Buffer;
}

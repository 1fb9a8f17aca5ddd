/**
 * Compresses files as they are made. The same chunks always make the same bytes, whatever happens at the same time:
 * nothing depends on when a chunk comes or how fast it is worked on.
 *
 * gzip: each chunk is deflated by itself, with the end of the one before as its dictionary, so that two are worked on at
 * a time, and put together to one member. zstd: one frame with its checksum. The work is done in libuv's threads.
 */
import { constants, crc32, createZstdCompress, deflateRaw, type ZstdCompress } from 'node:zlib';
import { promisify } from 'node:util';
import type { Gate } from '../platform/gate.ts';

/** What gzip and zstd themselves take when they are not told. */
const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;
/** How far deflate looks back. */
const WINDOW_BYTES = 32 * 1024;
/** Output comes in pieces of this; each costs a turn of the event loop. */
const PIECE_BYTES = 256 * 1024;
/** Chunks of one file that are deflated at a time. */
const AT_A_TIME = 2;

/** No name, no time, unknown system (RFC 1952). */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty block that is the last one (RFC 1951). */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);

const deflate = promisify(deflateRaw) as (data: Buffer, options: object) => Promise<Buffer>;

/**
 * The bytes of `chunks`, compressed. A chunk is looked at until the next but one is asked for; what is yielded is the
 * caller's. `gate` bounds the chunks that are worked on at a time, of all files that share it.
 */
export function compressed(
  chunks: AsyncIterable<Buffer>,
  compression: 'gzip' | 'zstd',
  gate: Gate,
): AsyncIterable<Buffer> {
  return compression === 'gzip' ? gzipped(chunks, gate) : zstandard(chunks, gate);
}

async function* gzipped(chunks: AsyncIterable<Buffer>, gate: Gate): AsyncGenerator<Buffer, void, undefined> {
  yield GZIP_HEADER;
  let sum = 0;
  let bytes = 0;
  let dictionary = Buffer.alloc(0);
  const working: Promise<Buffer>[] = [];
  for await (const chunk of chunks) {
    const options = { level: GZIP_LEVEL, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: PIECE_BYTES, dictionary };
    const deflated = gate.run(() => deflate(chunk, options));
    // Awaited later, or never if the file is given up meanwhile.
    deflated.catch(() => undefined);
    working.push(deflated);
    sum = crc32(chunk, sum);
    bytes += chunk.length;
    // Copied, since a chunk that waits for the gate begins when this one is not there any more.
    dictionary = Buffer.from(chunk.subarray(-WINDOW_BYTES));
    if (working.length === AT_A_TIME) yield await working.shift()!;
  }
  for (const deflated of working) yield await deflated;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(bytes % 2 ** 32, 4);
  yield LAST_BLOCK;
  yield trailer;
}

async function* zstandard(chunks: AsyncIterable<Buffer>, gate: Gate): AsyncGenerator<Buffer, void, undefined> {
  const stream = createZstdCompress({
    chunkSize: PIECE_BYTES,
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const ready: Buffer[] = [];
  stream.on('data', (piece: Buffer) => ready.push(piece));
  // Whoever waits for a chunk or the end is told; without a listener of its own it would end the process.
  stream.on('error', () => undefined);
  try {
    let writing = Promise.resolve();
    for await (const chunk of chunks) {
      await writing;
      yield* ready.splice(0);
      writing = gate.run(() => write(stream, chunk));
      // Awaited before the next chunk, or never if the file is given up meanwhile.
      writing.catch(() => undefined);
    }
    await writing;
    await gate.run(() => end(stream));
    yield* ready.splice(0);
  } finally {
    stream.destroy();
  }
}

/** Resolves once the chunk has been worked on: only then may the next one or the end come, for the same bytes each time. */
function write(stream: ZstdCompress, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function end(stream: ZstdCompress): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('error', reject);
    stream.end();
  });
}

/**
 * Compressed request bodies, as the Java client makes them: `lz4` is one raw block with its length told beside it, `snappy`
 * one raw block, `zstd` one frame. How much comes out is known, and bounded, before memory is taken for it.
 */
import { constants, zstdDecompressSync } from 'node:zlib';
import { uncompressSync as decompressLz4Block } from 'lz4-napi';
import { uncompressSync as decompressSnappyBlock } from 'snappy';
import { DomainError } from '../model/errors.ts';

export const COMPRESSIONS = ['lz4', 'snappy', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export interface CompressedBody {
  readonly compression: Compression;
  readonly bytes: Buffer;
  /** The length that the request tells, as it stands there; lz4 needs it, zstd may have it, snappy tells itself. */
  readonly declaredLength: string | undefined;
  /** Bytes that may come out, inclusive. */
  readonly maxBytes: number;
}

/** Bytes that a byte of a block makes at the most: more cannot come out, whatever the block says. */
const LZ4_MOST = 255;
const SNAPPY_MOST = 22;
/** Of the length that lz4-napi wants. */
const LENGTH_BYTES = 4;

/** What zstd may always look back; a frame that needs more than this and than `maxBytes` is refused. */
const SMALLEST_WINDOW_LOG = 23;
const LARGEST_WINDOW_LOG = 31;
/** Room for the whole of a small body at once, without a page too much for it. */
const ZSTD_CHUNK_BYTES = 64 * 1024;

/** Throws InvalidBody for what is broken or of another length than it says, RequestTooLarge above `maxBytes`. */
export function decompress(body: CompressedBody): Buffer {
  switch (body.compression) {
    case 'lz4':
      return decompressLz4(body);
    case 'snappy':
      return decompressSnappy(body);
    case 'zstd':
      return decompressZstd(body);
  }
}

function decompressLz4({ bytes, declaredLength, maxBytes }: CompressedBody): Buffer {
  const length = parseLength(declaredLength);
  if (length === undefined) throw new DomainError('InvalidBody', ['x-dis-lz4-content-length', 'is missing']);
  if (length > maxBytes) throw tooLarge(length, maxBytes);
  if (length > bytes.length * LZ4_MOST) throw broken('lz4', length);
  // The module reads the length in front of its block.
  const block = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length);
  block.writeUInt32LE(length, 0);
  bytes.copy(block, LENGTH_BYTES);
  return restore('lz4', length, () => decompressLz4Block(block));
}

function decompressSnappy({ bytes, maxBytes }: CompressedBody): Buffer {
  const length = readSnappyLength(bytes);
  if (length === undefined) throw broken('snappy');
  if (length > maxBytes) throw tooLarge(length, maxBytes);
  if (length > bytes.length * SNAPPY_MOST) throw broken('snappy', length);
  // Copied: memory of the module's own would be freed late, by a collection of the whole heap.
  return restore('snappy', length, () => decompressSnappyBlock(bytes, { asBuffer: true, copyOutputData: true }));
}

/** What `decode` makes, if it is of that length. */
function restore(compression: Compression, length: number, decode: () => string | Buffer): Buffer {
  let decoded: string | Buffer;
  try {
    decoded = decode();
  } catch (error) {
    throw broken(compression, length, error);
  }
  if (typeof decoded === 'string' || decoded.length !== length) throw broken(compression, length);
  return decoded;
}

/** The number that a block begins with, seven bits a byte; undefined when there is none below 2^32. */
function readSnappyLength(block: Buffer): number | undefined {
  let length = 0;
  let scale = 1;
  for (const byte of block.subarray(0, 5)) {
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return length < 2 ** 32 ? length : undefined;
    scale *= 128;
  }
  return undefined;
}

function decompressZstd({ bytes, declaredLength, maxBytes }: CompressedBody): Buffer {
  const length = parseLength(declaredLength);
  if (length !== undefined && length > maxBytes) throw tooLarge(length, maxBytes);
  const windowLog = Math.max(SMALLEST_WINDOW_LOG, Math.ceil(Math.log2(maxBytes)));
  let decoded: ZstdResult;
  try {
    decoded = zstdDecompressSync(bytes, {
      info: true,
      maxOutputLength: Math.max(1, length ?? maxBytes),
      chunkSize: Math.max(length ?? 0, ZSTD_CHUNK_BYTES),
      params: { [constants.ZSTD_d_windowLogMax]: Math.min(windowLog, LARGEST_WINDOW_LOG) },
    }) as unknown as ZstdResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE' || length !== undefined) {
      throw broken('zstd', length, error);
    }
    throw tooLarge(`more than ${maxBytes}`, maxBytes, error);
  }
  const { buffer, engine } = decoded;
  // Node does not mind what follows a frame.
  if (engine.bytesWritten !== bytes.length || buffer.length !== (length ?? buffer.length)) throw broken('zstd', length);
  return buffer;
}

/** What zlib returns with `info`, which its types do not know. */
interface ZstdResult {
  readonly buffer: Buffer;
  /** Its `bytesWritten` are those of the frame. */
  readonly engine: { readonly bytesWritten: number };
}

/** Undefined for none. Throws InvalidBody. */
function parseLength(text: string | undefined): number | undefined {
  const digits = text?.trim();
  if (digits === undefined || digits === '') return undefined;
  if (!/^\d{1,15}$/.test(digits)) {
    throw new DomainError('InvalidBody', ['declared length of the body', 'must be a whole number']);
  }
  return Number(digits);
}

function tooLarge(length: number | string, maxBytes: number, cause?: unknown): DomainError {
  return new DomainError('RequestTooLarge', ['bytes of the body', length, maxBytes], cause);
}

function broken(compression: Compression, length?: number, cause?: unknown): DomainError {
  const what = length === undefined ? `must be ${compression}` : `must be ${compression} of ${length} bytes`;
  return new DomainError('InvalidBody', ['body', what], cause);
}

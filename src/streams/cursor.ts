/**
 * Cursors: where a consumer goes on reading. Opaque to clients, authenticated, and valid for a while.
 *
 *   cursor = base64url( version:u8 stream:u32 partition:u32 sequence:u64 issuedAt:u64 mac:16 bytes ), without padding
 *   mac    = the first half of HMAC-SHA256 over the bytes before it
 *
 * The stream number binds a cursor to one incarnation of a stream, and so to its project.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../model/errors.ts';
import { readUint64, writeUint64 } from '../model/record-batch.ts';
import type { PartitionRef } from '../model/stream.ts';

const VERSION = 1;
const BODY_BYTES = 25;
const MAC_BYTES = 16;
const FORM = /^[A-Za-z0-9_-]+={0,2}$/;

export interface Cursor {
  readonly ref: PartitionRef;
  /** The number of the record to be read next. */
  readonly sequence: number;
  /** In ms. */
  readonly issuedAt: number;
}

export class CursorCodec {
  readonly #key: Buffer;
  readonly #lifeMs: number;

  /** `key`: 32 secret bytes that every node shares. `lifeSeconds`: inclusive age up to which a cursor is taken. */
  constructor(key: Buffer, lifeSeconds: number) {
    this.#key = key;
    this.#lifeMs = lifeSeconds * 1000;
  }

  encode({ ref, sequence, issuedAt }: Cursor): string {
    const bytes = Buffer.allocUnsafe(BODY_BYTES + MAC_BYTES);
    bytes[0] = VERSION;
    bytes.writeUInt32LE(ref.stream, 1);
    bytes.writeUInt32LE(ref.partition, 5);
    writeUint64(bytes, sequence, 9);
    writeUint64(bytes, issuedAt, 17);
    this.#mac(bytes).copy(bytes, BODY_BYTES, 0, MAC_BYTES);
    return bytes.toString('base64url');
  }

  /** Throws InvalidCursor for anything that `encode` of the same key did not make, CursorExpired for what is too old. */
  decode(text: string, now: number): Cursor {
    const bytes = FORM.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
    const genuine =
      bytes.length === BODY_BYTES + MAC_BYTES &&
      bytes[0] === VERSION &&
      timingSafeEqual(this.#mac(bytes).subarray(0, MAC_BYTES), bytes.subarray(BODY_BYTES)) &&
      // Base64 leaves spare bits in its last character; only the canonical text is ours.
      bytes.toString('base64url') === text.replace(/=+$/, '');
    if (!genuine) throw new DomainError('InvalidCursor');
    const issuedAt = readUint64(bytes, 17);
    if (now - issuedAt > this.#lifeMs) throw new DomainError('CursorExpired');
    return {
      ref: { stream: bytes.readUInt32LE(1), partition: bytes.readUInt32LE(5) },
      sequence: readUint64(bytes, 9),
      issuedAt,
    };
  }

  #mac(bytes: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(bytes.subarray(0, BODY_BYTES)).digest();
  }
}

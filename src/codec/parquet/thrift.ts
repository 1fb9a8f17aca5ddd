/**
 * Thrift's compact protocol, as far as our own pages and footers have it. What is written is put together as a tree; what is
 * read is read again only to be copied, so that there is none.
 *
 *   struct = (delta:4 type:4 [id:zigzag if delta is 0] value)* 0
 *   list   = size:4 type:4 [size:varint if size is 15] value*
 *   i32, i64 = zigzag varint · binary = length:varint bytes · bool = in the type, so there are none in lists
 */
import { ByteBuffer } from './byte-buffer.ts';

/** Type codes on the wire. */
const TRUE = 1;
const FALSE = 2;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

const MAX_DELTA = 15;
/** A list of so many items tells how many behind its head. */
const LONG_LIST = 15;

export type Thrift =
  | { readonly type: typeof TRUE | typeof FALSE }
  | { readonly type: typeof I32 | typeof I64; readonly value: number }
  | { readonly type: typeof BINARY; readonly value: Uint8Array }
  | { readonly type: typeof LIST; readonly value: readonly Thrift[] }
  | { readonly type: typeof STRUCT; readonly value: ThriftFields }
  | EncodedThrift;

/** Fields by number. Those that are undefined are left out. */
export type ThriftFields = Readonly<Record<number, Thrift | undefined>>;

/** A value as its bytes, which take less memory than a tree. */
export interface EncodedThrift {
  readonly type: 'encoded';
  readonly wireType: number;
  readonly bytes: Buffer;
}

export const bool = (value: boolean): Thrift => ({ type: value ? TRUE : FALSE });
/** 0 to 2^31 - 1. */
export const i32 = (value: number): Thrift => ({ type: I32, value });
/** 0 to 2^53 - 1. */
export const i64 = (value: number): Thrift => ({ type: I64, value });
export const binary = (value: Uint8Array | string): Thrift => ({
  type: BINARY,
  value: typeof value === 'string' ? Buffer.from(value) : value,
});
/** Of one type, not booleans; an empty one is of structs. */
export const list = (value: readonly Thrift[]): Thrift => ({ type: LIST, value });
export const struct = (value: ThriftFields): Thrift => ({ type: STRUCT, value });

export function encodedStruct(value: Thrift): EncodedThrift {
  return { type: 'encoded', wireType: STRUCT, bytes: Buffer.from(encodeThrift(value)) };
}

/** In memory of its own. Throws RangeError for a number that is negative or not exact. */
export function encodeThrift(value: Thrift): Buffer {
  const to = new ByteBuffer();
  write(to, value);
  return to.written;
}

function write(to: ByteBuffer, thrift: Thrift): void {
  switch (thrift.type) {
    case TRUE:
    case FALSE:
      break;
    case I32:
    case I64:
      writeInteger(to, thrift.value);
      break;
    case BINARY:
      to.varint(thrift.value.length);
      to.raw(thrift.value);
      break;
    case LIST:
      writeList(to, thrift.value);
      break;
    case STRUCT:
      writeStruct(to, thrift.value);
      break;
    case 'encoded':
      to.raw(thrift.bytes);
  }
}

function writeInteger(to: ByteBuffer, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no size and no offset`);
  to.varint(value * 2);
}

function writeList(to: ByteBuffer, items: readonly Thrift[]): void {
  const first = items[0];
  to.byte((Math.min(items.length, LONG_LIST) << 4) | (first === undefined ? STRUCT : wireType(first)));
  if (items.length >= LONG_LIST) to.varint(items.length);
  for (const item of items) write(to, item);
}

function writeStruct(to: ByteBuffer, fields: ThriftFields): void {
  let last = 0;
  // A loop, in ascending order: small files are footers for the most part.
  for (const key in fields) {
    const field = fields[key];
    if (field === undefined) continue;
    const id = Number(key);
    if (id - last <= MAX_DELTA) to.byte(((id - last) << 4) | wireType(field));
    else {
      to.byte(wireType(field));
      to.varint(id * 2);
    }
    write(to, field);
    last = id;
  }
  to.byte(0);
}

function wireType(thrift: Thrift): number {
  return thrift.type === 'encoded' ? thrift.wireType : thrift.type;
}

/** Which integers of a struct are offsets, by field; through a list all of its items are meant. */
export interface Offsets {
  readonly [field: number]: true | Offsets;
}

/**
 * Goes through a struct: whoever takes a field or an item from it reads its value, once, before the next one is taken. Throws
 * RangeError for bytes that end too early, and for what is not as it was expected.
 */
export class ThriftReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Of the value that comes next. */
  #type = STRUCT;
  /** Up to where `#raise` has copied. */
  #copied = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The numbers of the fields of the struct that comes next. */
  *fields(): Generator<number, void, undefined> {
    this.#expect(STRUCT);
    let id = 0;
    for (let head = this.#byte(); head !== 0; head = this.#byte()) {
      id = this.#id(head, id);
      this.#type = head & 0x0f;
      yield id;
    }
  }

  /** Stops at each item of the list that comes next, and hands itself over to read it. */
  *items(): Generator<ThriftReader, void, undefined> {
    this.#expect(LIST);
    const { type, size } = this.#listHead();
    for (let index = 0; index < size; index += 1) {
      this.#type = type;
      yield this;
    }
  }

  /** The integer that comes next, 0 to 2^53 - 1. */
  integer(): number {
    if (this.#type !== I32) this.#expect(I64);
    return this.#integer();
  }

  /** A copy of the value that comes next. */
  value(): EncodedThrift {
    const start = this.#at;
    this.#skip(this.#type);
    return this.#encoded(Buffer.from(this.#bytes.subarray(start, this.#at)));
  }

  /** A copy of the value that comes next, in which `by` has been added to each of the `offsets`. */
  raised(offsets: Offsets, by: number): EncodedThrift {
    const to = new ByteBuffer();
    const type = this.#type;
    this.#copied = this.#at;
    this.#raise(to, type, offsets, by);
    to.raw(this.#bytes.subarray(this.#copied, this.#at));
    this.#type = type;
    return this.#encoded(Buffer.from(to.written));
  }

  #encoded(bytes: Buffer): EncodedThrift {
    return { type: 'encoded', wireType: this.#type, bytes };
  }

  #raise(to: ByteBuffer, type: number, offsets: true | Offsets, by: number): void {
    this.#type = type;
    if (type === LIST) {
      const { type: of, size } = this.#listHead();
      for (let index = 0; index < size; index += 1) this.#raise(to, of, offsets, by);
    } else if (offsets === true) {
      to.raw(this.#bytes.subarray(this.#copied, this.#at));
      writeInteger(to, this.integer() + by);
      this.#copied = this.#at;
    } else {
      this.#expect(STRUCT);
      let id = 0;
      for (let head = this.#byte(); head !== 0; head = this.#byte()) {
        id = this.#id(head, id);
        const inner = offsets[id];
        if (inner === undefined) this.#skip(head & 0x0f);
        else this.#raise(to, head & 0x0f, inner, by);
      }
    }
  }

  #skip(type: number): void {
    switch (type) {
      case TRUE:
      case FALSE:
        return;
      case I32:
      case I64:
        this.#varint();
        return;
      case BINARY: {
        const length = this.#varint();
        this.#at += length;
        if (this.#at > this.#bytes.length) throw new RangeError(TOO_SHORT);
        return;
      }
      case LIST: {
        const { type: of, size } = this.#listHead();
        for (let index = 0; index < size; index += 1) this.#skip(of);
        return;
      }
      case STRUCT:
        for (let head = this.#byte(); head !== 0; head = this.#byte()) {
          if (head >>> 4 === 0) this.#varint();
          this.#skip(head & 0x0f);
        }
        return;
      default:
        throw new RangeError(`unknown type ${type}`);
    }
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new RangeError(`type ${this.#type} where ${type} was expected`);
  }

  #id(head: number, last: number): number {
    return head >>> 4 === 0 ? this.#integer() : last + (head >>> 4);
  }

  #listHead(): { readonly type: number; readonly size: number } {
    const head = this.#byte();
    const type = head & 0x0f;
    if (type === TRUE || type === FALSE) throw new RangeError('a list of booleans');
    return { type, size: head >>> 4 === LONG_LIST ? this.#varint() : head >>> 4 };
  }

  #integer(): number {
    const value = this.#varint() / 2;
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no size and no offset`);
    return value;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale <= LARGEST_SCALE; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too long');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError(TOO_SHORT);
    this.#at += 1;
    return byte;
  }
}

const TOO_SHORT = 'the bytes end too early';
/** Of the last seven bits that a number of 54 bits has. */
const LARGEST_SCALE = 2 ** 49;

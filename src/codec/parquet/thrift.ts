/**
 * Thrift's compact protocol, as far as Parquet uses it, as a tree that keeps the types: what is read is written again byte for
 * byte, also fields that nobody here knows.
 *
 *   struct = (delta:4 type:4 [id:zigzag if delta is 0] value)* 0
 *   list   = size:4 type:4 [size:varint if size is 15] value*
 *   i16, i32, i64 = zigzag varint · double = 8 bytes LE · binary = length:varint bytes · bool = in the type, in a list a byte
 */

/** Type codes on the wire. */
const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const STRUCT = 12;

export type Thrift =
  | { readonly type: typeof TRUE; readonly value: boolean }
  | { readonly type: typeof I8; readonly value: number }
  | { readonly type: typeof I16 | typeof I32 | typeof I64; readonly value: bigint }
  /** The eight bytes as they stand. */
  | { readonly type: typeof DOUBLE; readonly value: Buffer }
  | { readonly type: typeof BINARY; readonly value: Buffer }
  | { readonly type: typeof LIST | typeof SET; readonly of: number; readonly value: readonly Thrift[] }
  /** Bytes: as `encodeThrift` has made them. */
  | { readonly type: typeof STRUCT; readonly value: ThriftStruct | Buffer };

/** Fields by number, ascending as they are written. */
export type ThriftStruct = ReadonlyMap<number, Thrift>;

export const bool = (value: boolean): Thrift => ({ type: TRUE, value });
export const i32 = (value: number): Thrift => ({ type: I32, value: BigInt(value) });
export const i64 = (value: number | bigint): Thrift => ({ type: I64, value: BigInt(value) });
export const binary = (value: Uint8Array | string): Thrift => ({
  type: BINARY,
  value: typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length),
});
/** Of one type; an empty one is of structs. */
export const list = (value: readonly Thrift[]): Thrift => ({ type: LIST, of: value[0]?.type ?? STRUCT, value });
/** Fields that are undefined are left out. */
export function struct(fields: Readonly<Record<number, Thrift | undefined>>): Thrift {
  const value = new Map<number, Thrift>();
  // A loop: small files are footers for the most part.
  for (const id in fields) {
    const field = fields[id];
    if (field !== undefined) value.set(Number(id), field);
  }
  return { type: STRUCT, value };
}

/** A struct that has been read, to be written again. */
export const structFrom = (value: ThriftStruct): Thrift => ({ type: STRUCT, value });

/** The same fields but for those that are given, which must have been there. */
export const withFields = (fields: ThriftStruct, changed: Readonly<Record<number, Thrift>>): ThriftStruct =>
  new Map([...fields].map(([id, field]) => [id, changed[id] ?? field]));

/** A struct as its bytes, which take less memory than the tree. */
export const encodedStruct = (value: Thrift): Thrift => ({ type: STRUCT, value: encodeThrift(value) });

/** What a field has to be; throws RangeError where it is missing or something else. */
export function structOf(value: Thrift | undefined): ThriftStruct {
  if (value?.type !== STRUCT) throw new RangeError('a struct was expected');
  return value.value instanceof Map ? value.value : decodeThrift(value.value as Buffer);
}
export function listOf(value: Thrift | undefined): readonly Thrift[] {
  if (value?.type !== LIST) throw new RangeError('a list was expected');
  return value.value;
}
export function integerOf(value: Thrift | undefined): bigint {
  if (value?.type !== I64 && value?.type !== I32 && value?.type !== I16) throw new RangeError('a number was expected');
  return value.value;
}

export function encodeThrift(value: Thrift): Buffer {
  const writer = new Writer();
  writer.value(value);
  return writer.written();
}

/** The struct that the bytes begin with. Throws RangeError where they are no Thrift. */
export function decodeThrift(bytes: Uint8Array): ThriftStruct {
  return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).struct(0);
}

class Writer {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  /** In memory of its own. */
  written(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    return bytes;
  }

  value(value: Thrift): void {
    switch (value.type) {
      case TRUE:
        this.#byte(value.value ? TRUE : FALSE);
        break;
      case I8:
        this.#byte(value.value & 0xff);
        break;
      case I16:
      case I32:
      case I64:
        this.#varint((value.value << 1n) ^ (value.value >> 63n));
        break;
      case DOUBLE:
        this.#raw(value.value);
        break;
      case BINARY:
        this.#varint(BigInt(value.value.length));
        this.#raw(value.value);
        break;
      case LIST:
      case SET:
        this.#list(value.of, value.value);
        break;
      case STRUCT:
        if (value.value instanceof Map) this.#struct(value.value);
        else this.#raw(value.value as Buffer);
        break;
    }
  }

  #list(of: number, items: readonly Thrift[]): void {
    this.#byte((Math.min(items.length, 15) << 4) | of);
    if (items.length >= 15) this.#varint(BigInt(items.length));
    for (const item of items) this.value(item);
  }

  #struct(fields: ThriftStruct): void {
    let last = 0;
    for (const [id, field] of fields) {
      const type = field.type === TRUE && !field.value ? FALSE : field.type;
      const delta = id - last;
      if (delta > 0 && delta <= 15) {
        this.#byte((delta << 4) | type);
      } else {
        this.#byte(type);
        this.#varint(BigInt((id << 1) ^ (id >> 31)));
      }
      if (field.type !== TRUE) this.value(field);
      last = id;
    }
    this.#byte(0);
  }

  #varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    this.#byte(Number(rest));
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  #raw(value: Buffer): void {
    this.#reserve(value.length);
    value.copy(this.#bytes, this.#length);
    this.#length += value.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Deeper than anything that Parquet's footer has; what is deeper is no footer. */
const MAX_DEPTH = 32;

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  struct(depth: number): ThriftStruct {
    const fields = new Map<number, Thrift>();
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return fields;
      const type = head & 0x0f;
      id = head >>> 4 === 0 ? Number(this.#zigzag()) : id + (head >>> 4);
      fields.set(id, type === TRUE || type === FALSE ? bool(type === TRUE) : this.#value(type, depth + 1));
    }
  }

  #value(type: number, depth: number): Thrift {
    if (depth > MAX_DEPTH) throw new RangeError('nested too deeply');
    switch (type) {
      case TRUE:
      case FALSE:
        return bool(this.#byte() === TRUE);
      case I8:
        return { type, value: this.#byte() };
      case I16:
      case I32:
      case I64:
        return { type, value: this.#zigzag() };
      case DOUBLE:
        return { type, value: this.#raw(8) };
      case BINARY:
        return { type, value: this.#raw(Number(this.#varint())) };
      case LIST:
      case SET: {
        const head = this.#byte();
        const size = head >>> 4 === 15 ? Number(this.#varint()) : head >>> 4;
        // An item takes a byte at the least: a length that cannot be is found before memory is taken for it.
        if (size > this.#bytes.length - this.#at) throw new RangeError('a list is longer than its bytes');
        const of = head & 0x0f;
        return { type, of, value: Array.from({ length: size }, () => this.#value(of, depth + 1)) };
      }
      case STRUCT:
        return { type, value: this.struct(depth) };
      default:
        throw new RangeError(`unknown type ${type}`);
    }
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a number is too long');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('the bytes end too early');
    this.#at += 1;
    return byte;
  }

  #raw(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new RangeError('the bytes end too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

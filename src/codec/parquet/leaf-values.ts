/** How the values of a leaf column are written: in PLAIN encoding, told apart in a dictionary, and watched for statistics. */
import type { RowValue } from '../rows/row-schema.ts';
import { BigIntWatch, BytesWatch, NumberWatch, type BoundsWatch } from './bounds.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { PhysicalType } from './format.ts';
import type { LeafColumn } from './parquet-schema.ts';

export interface LeafValues {
  /** Bytes in front of each value that tell its length. */
  readonly prefix: 0 | 4;
  /** False where a dictionary can never be smaller. */
  readonly dictionary: boolean;
  /** What a Map tells the value by; absent where that is the value itself. */
  readonly key?: (value: RowValue) => unknown;
  write(to: ByteBuffer, value: RowValue): void;
  /** A new one for a chunk. */
  watch(): BoundsWatch<RowValue>;
}

export function leafValues(leaf: LeafColumn): LeafValues {
  return valuesOf(leaf) as LeafValues;
}

interface TypedValues<V> {
  readonly prefix: 0 | 4;
  readonly dictionary: boolean;
  readonly key?: (value: V) => unknown;
  write(to: ByteBuffer, value: V): void;
  watch(): BoundsWatch<V>;
}

type AnyValues =
  TypedValues<boolean> | TypedValues<number> | TypedValues<bigint> | TypedValues<string> | TypedValues<Uint8Array>;

function valuesOf({ type, physical, length }: LeafColumn): AnyValues {
  switch (type.kind) {
    case 'boolean':
      return BOOLEANS;
    case 'int':
    case 'date':
      return INT32;
    case 'float':
      return FLOATS;
    case 'double':
      return DOUBLES;
    case 'long':
    case 'timestamp':
      return INT64;
    case 'time':
      return type.unit === 'millis' ? INT32 : INT64;
    case 'string':
    case 'enum':
      return TEXTS;
    case 'uuid':
      return UUIDS;
    case 'bytes':
      return BYTES;
    case 'fixed':
      return FIXED;
    case 'decimal':
      if (physical === PhysicalType.int32) return SMALL_DECIMALS;
      return physical === PhysicalType.int64 ? INT64 : largeDecimals(length);
  }
}

/** One byte a value here; packed to bits by the page. */
const BOOLEANS: TypedValues<boolean> = {
  prefix: 0,
  dictionary: false,
  write: (to, value) => to.byte(value ? 1 : 0),
  watch: () => {
    const numbers = new NumberWatch((value) => Buffer.from([value]));
    return { see: (value) => numbers.see(value ? 1 : 0), bounds: () => numbers.bounds() };
  },
};

const INT32: TypedValues<number> = {
  prefix: 0,
  dictionary: true,
  write: writeInt32,
  watch: () => new NumberWatch((value) => written(writeInt32, value)),
};

/** Doubles that round to one float are one value. */
const FLOATS: TypedValues<number> = fractions((to, value) => to.float(value), Math.fround);
const DOUBLES: TypedValues<number> = fractions(
  (to, value) => to.double(value),
  (value) => value,
);
const INT64: TypedValues<bigint> = bigints((to, value) => to.int64(value));
const SMALL_DECIMALS: TypedValues<bigint> = bigints((to, value) => to.int32(Number(value)));

const TEXTS: TypedValues<string> = {
  prefix: 4,
  dictionary: true,
  write: (to, value) => to.text(value),
  watch: () => new BytesWatch(true),
};

const BYTES: TypedValues<Uint8Array> = {
  prefix: 4,
  dictionary: true,
  key: latin1,
  write: (to, value) => {
    to.int32(value.length);
    to.raw(value);
  },
  watch: () => new BytesWatch(false),
};

const FIXED: TypedValues<Uint8Array> = {
  prefix: 0,
  dictionary: true,
  key: latin1,
  write: (to, value) => to.raw(value),
  watch: () => new BytesWatch(false),
};

const UUIDS: TypedValues<string> = {
  prefix: 0,
  dictionary: true,
  write: (to, value) => to.raw(Buffer.from(value.replaceAll('-', ''), 'hex')),
  watch: () => new BytesWatch(false),
};

/** -0 is another value than 0, which a Map does not know. */
const MINUS_ZERO = Symbol('-0');

/** `stored`: what is left of a value where it is written. */
function fractions(
  write: (to: ByteBuffer, value: number) => void,
  stored: (value: number) => number,
): TypedValues<number> {
  return {
    prefix: 0,
    dictionary: true,
    key: (value) => (Object.is(stored(value), -0) ? MINUS_ZERO : stored(value)),
    write,
    watch: () => {
      const numbers = new NumberWatch((value) => written(write, value));
      return { see: (value) => numbers.see(stored(value)), bounds: () => numbers.bounds() };
    },
  };
}

function writeInt32(to: ByteBuffer, value: number): void {
  to.int32(value);
}

function bigints(write: (to: ByteBuffer, value: bigint) => void): TypedValues<bigint> {
  return {
    prefix: 0,
    dictionary: true,
    write,
    watch: () => new BigIntWatch((value) => written(write, value)),
  };
}

/** Two's complement, big-endian. */
function largeDecimals(length: number): TypedValues<bigint> {
  return bigints((to, value) => {
    to.reserve(length);
    let rest = value;
    for (let at = to.length + length - 1; at >= to.length; at -= 1, rest >>= 8n) to.bytes[at] = Number(rest & 0xffn);
    to.length += length;
  });
}

function written<V>(write: (to: ByteBuffer, value: V) => void, value: V): Uint8Array {
  const buffer = new ByteBuffer();
  write(buffer, value);
  return buffer.written;
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}

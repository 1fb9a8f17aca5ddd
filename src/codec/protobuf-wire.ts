/**
 * The wire format of Protocol Buffers, as far as the messages of DIS need it. A reader walks the fields of one message
 * without copying or making anything: after `next()` returns true its members describe the current field.
 *
 * Written by hand since it is small and was faster: 48 ns a record of three fields against 70–100 ns with protobufjs'
 * own Reader and 225 ns with the objects that it decodes to (10,000 records of 20 bytes, Node 26). The tests hold it
 * against protobufjs.
 */
import { DomainError } from '../model/errors.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** As deep as Google's own readers go. */
const DEEPEST_GROUP = 100;
/** Of a varint: ten of seven bits make the 64 of the longest. */
const LONGEST_VARINT = 10;

/** What a field number and a wire type are together: the number that stands before a field. */
export const varintTag = (field: number) => (field << 3) | VARINT;
export const bytesTag = (field: number) => (field << 3) | BYTES;

export class WireReader {
  readonly bytes: Buffer;
  #at: number;
  #end: number;
  /** Number and wire type of the current field, see `varintTag` and `bytesTag`. */
  tag = 0;
  /** Of a varint: exact below 2^53; what is more, negative numbers among it, is at least 2^53. */
  value = 0;
  /** Of bytes, texts and messages: where they begin, and how many bytes they are. */
  start = 0;
  length = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes on with another message within the same bytes. */
  move(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
  }

  /** The next field, if there is one. Throws InvalidBody for bytes that are no message. */
  next(): boolean {
    for (;;) {
      if (this.#at >= this.#end) return false;
      this.tag = this.#varint();
      if (this.#readField()) return true;
    }
  }

  /** False for one that no message of DIS has. */
  #readField(): boolean {
    if (this.tag < 8 || this.tag > 0xffff_ffff) throw malformed();
    switch (this.tag & 7) {
      case VARINT:
        this.value = this.#varint();
        return true;
      case BYTES:
        this.length = this.#varint();
        this.start = this.#at;
        this.#skip(this.length);
        return true;
      case FIXED64:
        this.#skip(8);
        return false;
      case FIXED32:
        this.#skip(4);
        return false;
      case GROUP_START:
        this.#skipGroup();
        return false;
      default:
        throw malformed();
    }
  }

  /** Up to the end of the group whose start was just read, groups in it included. */
  #skipGroup(): void {
    const open = [this.tag >>> 3];
    while (open.length > 0) {
      if (open.length > DEEPEST_GROUP || this.#at >= this.#end) throw malformed();
      this.tag = this.#varint();
      if ((this.tag & 7) === GROUP_START && this.tag >= 8) open.push(this.tag >>> 3);
      else if ((this.tag & 7) !== GROUP_END) this.#readField();
      else if (open.pop() !== this.tag >>> 3) throw malformed();
    }
  }

  #skip(bytes: number): void {
    if (bytes > this.#end - this.#at) throw malformed();
    this.#at += bytes;
  }

  #varint(): number {
    const { bytes } = this;
    const first = this.#at;
    const end = this.#end;
    let at = first;
    let value = 0;
    let scale = 1;
    while (at < end) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#at = at;
        return value;
      }
      if (at - first === LONGEST_VARINT) break;
      scale *= 128;
    }
    throw malformed();
  }
}

function malformed(): DomainError {
  return new DomainError('InvalidBody', ['body', 'must be a protobuf message']);
}

/** Bytes of a whole number from 0 to 2^53-1 as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Writes a whole number from 0 to 2^53-1; returns the offset after it. */
export function writeVarint(target: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x8000_0000) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

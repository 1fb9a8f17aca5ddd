/**
 * Finds the blocks of a segment by walking its bytes: what recovery does with a segment that has no index, and what is
 * left to do when an index is damaged. Memory is bounded by the largest block.
 */
import { crc32 } from 'node:zlib';
import type { File } from '../../platform/file-system.ts';
import { BLOCK_HEADER_BYTES, BLOCK_MAGIC, decodeBlockHeader, FILE_HEADER_BYTES, type BlockHeader } from './format.ts';

const WINDOW_BYTES = 1024 * 1024;
const MAGIC = Buffer.from(new Uint32Array([BLOCK_MAGIC]).buffer);

export interface ScannedBlock {
  readonly position: number;
  readonly header: BlockHeader;
  /** False: the header is intact, so that it is known which records are lost, but the body is not. */
  readonly intact: boolean;
}

/** Bytes in [from, to) in which no block header could be found. */
export interface ScannedGarbage {
  readonly from: number;
  readonly to: number;
}

/** Calls back for everything in [header, end), in order. */
export async function scanBlocks(
  file: File,
  end: number,
  visit: (found: ScannedBlock | ScannedGarbage) => void,
): Promise<void> {
  const window = new Window(file, end);
  let position = FILE_HEADER_BYTES;
  let garbage: number | undefined;
  while (position < end) {
    const head = await window.bytes(position, BLOCK_HEADER_BYTES);
    const header = decodeBlockHeader(head, 0);
    if (header === undefined || position + BLOCK_HEADER_BYTES + header.bodyLength > end) {
      garbage ??= position;
      position = await nextMagic(window, position + 1, end);
      continue;
    }
    if (garbage !== undefined) visit({ from: garbage, to: position });
    garbage = undefined;
    const body = await window.bytes(position + BLOCK_HEADER_BYTES, header.bodyLength);
    visit({ position, header, intact: crc32(body) === header.bodyCrc });
    position += BLOCK_HEADER_BYTES + header.bodyLength;
  }
  if (garbage !== undefined) visit({ from: garbage, to: end });
}

async function nextMagic(window: Window, from: number, end: number): Promise<number> {
  for (let position = from; position < end;) {
    const bytes = await window.bytes(position, Math.min(WINDOW_BYTES / 2, end - position));
    const found = bytes.indexOf(MAGIC);
    if (found >= 0) return position + found;
    // A magic may lie across the border of two pieces.
    position += Math.max(1, bytes.length - (MAGIC.length - 1));
  }
  return end;
}

/** A piece of the file in memory, moved forward as it is asked for. */
class Window {
  readonly #file: File;
  readonly #end: number;
  #start = 0;
  #bytes = Buffer.alloc(0);

  constructor(file: File, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** `length` bytes at `position`, fewer at the end; valid until the next call. */
  async bytes(position: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.#end - position);
    if (position < this.#start || position + wanted > this.#start + this.#bytes.length) {
      const size = Math.min(Math.max(wanted, WINDOW_BYTES), this.#end - position);
      const bytes = Buffer.allocUnsafeSlow(size);
      const read = await this.#file.read(bytes, 0, size, position);
      this.#start = position;
      this.#bytes = bytes.subarray(0, read);
    }
    return this.#bytes.subarray(position - this.#start, position - this.#start + wanted);
  }
}

/**
 * The records of a dead-letter object, as the source of a cut. What was altered, or is not there any more, gives nothing
 * at all: the object is checked against its checksum before its first letter is given.
 */
import { createHash } from 'node:crypto';
import { readDeadLetters } from '../../codec/dead-letters.ts';
import type { SourceObject } from '../../catalog/dump-redrives.ts';
import type { RecordBlock } from '../../model/record-batch.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { CutSource } from '../cuts/cut.ts';

/** An object up to this size is held once it is read; a larger one is read again for every walk. */
const HELD_BYTES = 4 * 1024 * 1024;

export class DeadLetterSource implements CutSource {
  readonly #objects: ObjectStore;
  readonly #object: SourceObject;
  #checked = false;
  #held: Buffer | undefined;

  constructor(objects: ObjectStore, object: SourceObject) {
    this.#objects = objects;
    this.#object = object;
  }

  /** Throws ObjectStoreRefused for an object that is not there, and Error for one that was altered. */
  async *batches(): AsyncGenerator<readonly RecordBlock[], void, undefined> {
    if (!this.#checked) await this.#check();
    let records = 0;
    for await (const blocks of readDeadLetters(this.#pieces())) {
      for (const { count } of blocks) records += count;
      yield blocks;
    }
    if (records !== this.#object.records) throw this.#altered(`it has ${records} letters`);
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#held !== undefined) yield this.#held;
    else yield* this.#whole();
  }

  async #check(): Promise<void> {
    const pieces: Buffer[] = [];
    const held = this.#object.bytes <= HELD_BYTES;
    // The store may use the memory of a piece again.
    for await (const piece of this.#whole()) if (held) pieces.push(Buffer.from(piece));
    if (held) this.#held = Buffer.concat(pieces);
    this.#checked = true;
  }

  /** The object's bytes; the last word is whether they are those that were stored. */
  async *#whole(): AsyncGenerator<Uint8Array, void, undefined> {
    const { bucket, key, bytes, checksum } = this.#object;
    const hash = createHash('sha256');
    let length = 0;
    for await (const piece of this.#objects.read(bucket, key)) {
      hash.update(piece);
      length += piece.length;
      if (length > bytes) throw this.#altered(`it has more than ${bytes} bytes`);
      yield piece;
    }
    if (length < bytes) throw this.#altered(`it has ${length} bytes`);
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== checksum) throw this.#altered(`its checksum is ${found}`);
  }

  #altered(how: string): Error {
    const { key, bytes, checksum, records } = this.#object;
    return new Error(
      `the dead letters ${key} were altered: ${how}, they were ${records} letters of ${bytes} bytes, ${checksum}`,
    );
  }
}

/** The dead letters of a cut, written as they are found; there is no object when there are none. */
import { deadLetterLine } from '../../codec/dead-letters.ts';
import type { FrameReader } from '../../model/record-batch.ts';
import type { FileSink, FileWriter } from './file-sink.ts';

const PIECE_BYTES = 1024 * 1024;

export class DeadLetterFile {
  readonly #sink: FileSink;
  readonly #partition: number;
  #lines: Buffer[] = [];
  #bytes = 0;
  #file: FileWriter | undefined;
  #records = 0;
  #firstRecord = -1;
  #lastRecord = -1;

  constructor(sink: FileSink, partition: number) {
    this.#sink = sink;
    this.#partition = partition;
  }

  /** Adds the record at which `frame` stands. `time`: its arrival in ms. */
  add(frame: FrameReader, sequence: number, time: number, reason: string): void {
    const line = deadLetterLine(frame, { partition: this.#partition, sequence, time, reason });
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#records === 0) this.#firstRecord = sequence;
    this.#records += 1;
    this.#lastRecord = sequence;
  }

  /** To be called now and then while letters are added: writes what has gathered, if it is much. */
  async relieve(): Promise<void> {
    if (this.#bytes >= PIECE_BYTES) await this.#write();
  }

  async finish(): Promise<void> {
    if (this.#records === 0) return;
    const file = await this.#write();
    await file.end({ records: this.#records, firstRecord: this.#firstRecord, lastRecord: this.#lastRecord });
  }

  async #write(): Promise<FileWriter> {
    this.#file ??= await this.#sink.open({ kind: 'deadLetters' });
    const piece = Buffer.concat(this.#lines);
    this.#lines = [];
    this.#bytes = 0;
    await this.#file.write(piece);
    return this.#file;
  }
}

/** The main thread as a converter sees it: where the records of one cut come from and where its files go. */
import type { MessagePort } from 'node:worker_threads';
import type { RecordBlock } from '../../model/record-batch.ts';
import { Gate } from '../../platform/gate.ts';
import type { CutSource } from '../cuts/cut.ts';
import type { FileSink, FileWriter, NewFile } from './file-sink.ts';
import type { Batch, FromConverter, ToConverter } from './protocol.ts';

/** Pieces on their way to the store. One is stored while the next is made; of small files several. */
const PIECES_AHEAD = 4;
const BUFFER_STEP = 64 * 1024;

export class MainThread implements CutSource, FileSink {
  readonly #port: MessagePort;
  readonly #pieces = new Gate(PIECES_AHEAD);
  #walk = 0;
  #files = 0;
  /** Answers to `more` of the current walk that nobody has looked at, and who waits for one. */
  #batches: (Batch | undefined)[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;
  #stopped = false;
  /** Memory of pieces that have come back: a fresh megabyte costs page faults, and the collector finds it late. */
  readonly #spare: ArrayBuffer[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToConverter) => this.#hear(message));
  }

  async *batches(): AsyncGenerator<readonly RecordBlock[], void, undefined> {
    this.#walk += 1;
    this.#batches = [];
    const walk = this.#walk;
    let used: ArrayBuffer | undefined;
    this.#ask(walk, undefined);
    for (;;) {
      const batch = await this.#nextBatch();
      if (batch === undefined) return;
      this.#ask(walk, used);
      yield blocksOf(batch);
      used = batch.buffer;
    }
  }

  async open(what: NewFile): Promise<FileWriter> {
    const file = this.#files;
    this.#files += 1;
    this.#say({ kind: 'open', file, what });
    return {
      write: async (piece) => {
        await this.#pieces.enter();
        const buffer = this.#copy(piece);
        this.#say({ kind: 'piece', file, piece: { buffer, bytes: piece.byteLength } }, [buffer]);
      },
      end: async (contents) => this.#say({ kind: 'end', file, contents }),
    };
  }

  #hear(message: ToConverter): void {
    switch (message.kind) {
      case 'batch':
        if (message.walk !== this.#walk) return;
        this.#batches.push(message.batch);
        this.#waiting?.resolve();
        return;
      case 'taken':
        this.#pieces.leave();
        return;
      case 'spare':
        this.#spare.push(message.buffer);
        return;
      case 'stop':
        this.#stopped = true;
        this.#waiting?.resolve();
        // Whoever waits to write learns of it; more than PIECES_AHEAD never wait.
        for (let place = 0; place < PIECES_AHEAD; place += 1) this.#pieces.leave();
    }
  }

  async #nextBatch(): Promise<Batch | undefined> {
    if (this.#batches.length === 0) {
      this.#waiting = Promise.withResolvers();
      this.#throwStopped();
      await this.#waiting.promise;
    }
    this.#throwStopped();
    return this.#batches.shift();
  }

  #ask(walk: number, buffer: ArrayBuffer | undefined): void {
    this.#say({ kind: 'more', walk, buffer }, buffer === undefined ? [] : [buffer]);
  }

  #say(message: FromConverter, memory: ArrayBuffer[] = []): void {
    this.#throwStopped();
    this.#port.postMessage(message, memory);
  }

  /** A piece in memory that can go to another thread: nobody else's. */
  #copy(piece: Uint8Array): ArrayBuffer {
    const spare = this.#spare.pop();
    const buffer = spare !== undefined && spare.byteLength >= piece.byteLength ? spare : newBuffer(piece.byteLength);
    new Uint8Array(buffer).set(piece);
    return buffer;
  }

  #throwStopped(): void {
    if (this.#stopped) throw new Error('the cut was stopped');
  }
}

function blocksOf({ blocks, buffer }: Batch): RecordBlock[] {
  let start = 0;
  return blocks.map(({ bytes, ...block }) => {
    const frames = Buffer.from(buffer, start, bytes);
    start += bytes;
    return { ...block, frames };
  });
}

/** Rounded up, so that the pieces of other files fit into it too. */
function newBuffer(bytes: number): ArrayBuffer {
  return new ArrayBuffer(Math.ceil(bytes / BUFFER_STEP) * BUFFER_STEP);
}

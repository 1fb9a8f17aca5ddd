/**
 * One keep-alive HTTP/1.1 connection on a bare socket, one request at a time. Load and server share the machine, so the
 * client does as little as it can: whole requests are sent as they were built, and of an answer only the status, the
 * length and the two ends of the body are looked at.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
  /** The first bytes of the body, up to ENDS_BYTES. */
  readonly head: Buffer;
  /** The last bytes of the body, up to ENDS_BYTES. */
  readonly tail: Buffer;
}

const ENDS_BYTES = 512;
const HEADERS_END = Buffer.from('\r\n\r\n');

export class Connection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Bytes of the whole answer, known once its headers are there. */
  #expected = Infinity;
  #bodyStart = 0;
  #status = 0;
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  exchange(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#expected === Infinity) this.#readHeaders();
    if (this.#received < this.#expected) return;
    const { resolve } = this.#settle!;
    const answer = this.#answer();
    this.#chunks = [];
    this.#received = 0;
    this.#expected = Infinity;
    this.#settle = undefined;
    resolve(answer);
  }

  #readHeaders(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    const [first] = this.#chunks;
    const end = first!.indexOf(HEADERS_END);
    if (end < 0) return;
    const headers = first!.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(headers)?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length: ${headers}`);
    this.#status = Number(headers.slice(9, 12));
    this.#bodyStart = end + HEADERS_END.length;
    this.#expected = this.#bodyStart + Number(length);
  }

  #answer(): Answer {
    const first = this.#chunks[0]!;
    const last = this.#chunks.at(-1)!;
    const tail =
      last.length >= ENDS_BYTES || this.#chunks.length === 1
        ? last.subarray(Math.max(last === first ? this.#bodyStart : 0, last.length - ENDS_BYTES))
        : Buffer.concat(this.#chunks.slice(-3)).subarray(-ENDS_BYTES);
    return {
      status: this.#status,
      bodyBytes: this.#expected - this.#bodyStart,
      head: first.subarray(this.#bodyStart, this.#bodyStart + ENDS_BYTES),
      tail,
    };
  }
}

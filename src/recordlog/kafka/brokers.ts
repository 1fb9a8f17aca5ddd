/**
 * Connections to brokers. A broker answers the requests of one connection one after another, so what may take long has
 * a connection of its own: appends wait for replicas, reads move megabytes, changes of topics wait for the controller.
 *
 * A connection is made when it is first needed and again after it was lost; a request that runs into its time limit
 * closes its connection, since nothing tells its late answer from the next one's delay.
 */
import { isIP } from 'node:net';
import { Connection, ResponseError, type API, type ConnectionOptions } from '@platformatic/kafka';

export type Lane = 'append' | 'read' | 'ask' | 'change';

export interface BrokersOptions {
  readonly clientId: string;
  readonly sasl: ConnectionOptions['sasl'];
  readonly tls: ConnectionOptions['tls'];
  /** Time to connect, login included, in ms. */
  readonly connectTimeoutMs: number;
  /** Time for an answer on each lane, in ms. */
  readonly answerTimeoutMs: Readonly<Record<Lane, number>>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What lies at the bottom of a failure, in words. */
export function reasonOf(error: unknown): string {
  let reason = 'unknown';
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    reason = at.message === '' ? (code ?? reason) : at.message;
  }
  return reason;
}

/** The request did not leave: nothing of it can have happened. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

export class Brokers {
  readonly #options: BrokersOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(options: BrokersOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the answer, also to one that tells of errors: the codes in it are the caller's to look at. Rejects with
   * NotSent when there is no connection, and otherwise when the connection ends or stays silent: then nobody knows.
   */
  async call<Arguments extends unknown[], Answer>(
    address: Address,
    lane: Lane,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    let connection: Connection;
    try {
      connection = await this.#connection(address, lane);
    } catch (error) {
      throw new NotSent((error as Error).message, { cause: error });
    }
    if (!connection.isConnected()) throw new NotSent('the connection was closed');
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, answer?: Answer) => {
        if (error === null) resolve(answer as Answer);
        else if (error instanceof ResponseError) resolve((error as { response?: unknown }).response as Answer);
        else reject(error);
      };
      // The compiler cannot tell that a callback may follow arguments it does not know.
      (api as unknown as (connection: Connection, ...rest: unknown[]) => void)(connection, ...args, done);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = await Promise.allSettled(this.#connections.values());
    await Promise.all(open.map(async (each) => (each.status === 'fulfilled' ? each.value.close() : undefined)));
  }

  #connection({ host, port }: Address, lane: Lane): Promise<Connection> {
    const key = `${host}:${port}/${lane}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    if (this.#closed) return Promise.reject(new Error('closed'));
    const { clientId, sasl, tls, connectTimeoutMs, answerTimeoutMs } = this.#options;
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: answerTimeoutMs[lane],
      // Whoever sends decides how much is under way.
      maxInflights: 1000,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls }),
      // A name, never an address, may be told to the other side.
      ...(tls === undefined || isIP(host) !== 0 ? {} : { tlsServerName: host }),
    });
    const forget = () => {
      if (this.#connections.get(key) === opened) this.#connections.delete(key);
    };
    connection.on('close', forget);
    connection.on('error', forget);
    connection.on('timeout', forget);
    const opened = Promise.resolve(connection.connect(host, port)).then(
      () => connection,
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    this.#connections.set(key, opened);
    return opened;
  }
}

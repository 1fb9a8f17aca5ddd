/**
 * Wakes a node when another one has done something that it should look at: PostgreSQL's LISTEN over a connection of its own,
 * which is made again when it breaks. Notices can be lost, so whoever waits for one also looks now and then by itself.
 */
import { Client, type ClientConfig } from 'pg';
import { notSilentFor } from '../../catalog/postgres/open-pool.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';

export interface NotificationsOptions {
  readonly connection: ClientConfig;
  readonly channels: readonly string[];
  readonly clock: Clock;
  readonly onNotice: (channel: string) => void;
  readonly onError: (error: unknown) => void;
}

const RECONNECT_MS = 1000;
/** A connection over which nothing comes looks like one that is dead: it is asked now and then. */
const ASK_MS = 5000;
const SILENCE_MS = 3 * ASK_MS;

export class Notifications {
  readonly #options: NotificationsOptions;
  #client: Client | undefined;
  #timer: Timer | undefined;
  #asking: Repetition | undefined;
  #closed = false;

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** Resolves once it listens, or has failed to and will try again. */
  async open(): Promise<void> {
    const { connection, channels, clock, onNotice, onError } = this.#options;
    const client = new Client({ ...connection, ...notSilentFor(SILENCE_MS) });
    this.#client = client;
    let ended = false;
    const end = (error?: unknown) => {
      if (ended) return;
      ended = true;
      if (this.#closed) return;
      onError(error ?? new Error('the connection was closed'));
      this.#timer = clock.after(RECONNECT_MS, () => {
        this.open().catch(onError);
      });
    };
    client.on('error', end);
    client.on('end', () => end());
    client.on('notification', ({ channel }) => onNotice(channel));
    try {
      await client.connect();
      for (const channel of channels) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      // Whatever happened while nobody listened.
      for (const channel of channels) onNotice(channel);
      await this.#asking?.close();
      this.#asking = repeat(clock, ASK_MS, async () => ended || client.query('select 1'), onError);
    } catch (error) {
      end(error);
      await client.end().catch(onError);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#asking?.close();
    await this.#client?.end();
  }
}

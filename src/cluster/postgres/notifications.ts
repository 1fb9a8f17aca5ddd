/**
 * Wakes a node when another one has done something that it should look at: PostgreSQL's LISTEN over a connection of its own,
 * which is made again when it breaks. Notices can be lost, so whoever waits for one also looks now and then by itself.
 */
import { Client, type ClientConfig } from 'pg';
import type { Clock, Timer } from '../../platform/clock.ts';

export interface NotificationsOptions {
  readonly connection: ClientConfig;
  readonly channels: readonly string[];
  readonly clock: Clock;
  readonly onNotice: (channel: string) => void;
  readonly onError: (error: unknown) => void;
}

const RECONNECT_MS = 1000;

export class Notifications {
  readonly #options: NotificationsOptions;
  #client: Client | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** Resolves once it listens, or has failed to and will try again. */
  async open(): Promise<void> {
    const { connection, channels, onNotice, onError } = this.#options;
    const client = new Client(connection);
    this.#client = client;
    let ended = false;
    const end = (error?: unknown) => {
      if (ended) return;
      ended = true;
      if (this.#closed) return;
      onError(error ?? new Error('the connection was closed'));
      this.#timer = this.#options.clock.after(RECONNECT_MS, () => {
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
    } catch (error) {
      end(error);
      await client.end().catch(onError);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#client?.end();
  }
}

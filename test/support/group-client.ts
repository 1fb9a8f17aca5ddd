/**
 * A member of a consumer group in the rhythm of the Kafka adapter: a heartbeat first, before anything is known; told to
 * join it joins, waits as long as it is told to, and syncs, again every half second while it is told to wait; what it got
 * takes effect with the first heartbeat that says STABLE.
 */
import type { Answer } from './api-client.ts';
import type { DisClient } from './dis-client.ts';

export interface GroupClientOptions {
  readonly dis: DisClient;
  readonly group: string;
  readonly clientId: string;
  /** Members of the join request: interestedStream, interestedStreamIdList, streamPattern and others. */
  readonly interest: Readonly<Record<string, unknown>>;
  /** Pause between heartbeats; the adapter's is 10 s. */
  readonly heartbeatMs: number;
}

const SYNC_AGAIN_MS = 500;

type HeartbeatState = 'JOINING' | 'SYNCING' | 'STABLE' | 'GROUP_NOT_EXIST';

export class GroupClient {
  readonly #options: GroupClientOptions;
  readonly #path: string;
  #state: 'INIT' | 'JOINING' | 'SYNCING' | 'STABLE' = 'INIT';
  #generation = -1;
  /** What the last sync gave, not in effect before the heartbeat after it. */
  #given: Readonly<Record<string, number[]>> = {};
  #assigned: Readonly<Record<string, number[]>> | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #failure: unknown;

  constructor(options: GroupClientOptions) {
    this.#options = options;
    this.#path = `/apps/${options.group}/consumers`;
  }

  get id(): string {
    return this.#options.clientId;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Partitions that it reads, by stream; undefined while it is not stable. Throws what ended the client. */
  get assigned(): Readonly<Record<string, number[]>> | undefined {
    if (this.#failure !== undefined) throw this.#failure as Error;
    return this.#assigned;
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Falls silent, as a process that was killed. */
  async die(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async leave(): Promise<void> {
    await this.die();
    await this.#options.dis.call('DELETE', `${this.#path}/${this.id}/`);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#heartbeat();
      if (this.#state === 'STABLE') await this.#sleep(this.#options.heartbeatMs);
    }
  }

  async #heartbeat(): Promise<void> {
    const { state } = await this.#post<{ state: HeartbeatState }>(`${this.#path}/${this.id}/heartbeats/`, this.#self());
    if (this.#state === 'STABLE' && state !== 'STABLE') this.#assigned = undefined;
    if (this.#state === 'SYNCING' && state === 'STABLE') this.#assigned = this.#given;
    if (state === 'GROUP_NOT_EXIST') throw new Error(`${this.id}: the group does not exist`);
    if (state === 'SYNCING') await this.#sync();
    else if (state === 'JOINING') await this.#join();
    else if (this.#state === 'SYNCING' || this.#state === 'STABLE') this.#state = 'STABLE';
    else await this.#join();
  }

  async #join(): Promise<void> {
    this.#state = 'JOINING';
    const { group, clientId, interest } = this.#options;
    const answer = await this.#post<{ state: string; syncDelayedTimeMs?: number }>(`${this.#path}/`, {
      groupId: group,
      clientId,
      accelerateAssignEnabled: false,
      rebalanceTimeoutMs: 20_000,
      ...interest,
    });
    if (answer.state === 'REJOIN') return this.#join();
    if (answer.state !== 'OK') throw new Error(`${clientId}: join answered ${answer.state}`);
    if (answer.syncDelayedTimeMs === undefined) throw new Error('the time to wait is missing');
    await this.#sleep(answer.syncDelayedTimeMs);
    await this.#sync();
  }

  async #sync(): Promise<void> {
    for (;;) {
      if (this.#stopped) return;
      this.#state = 'SYNCING';
      const answer = await this.#post<{ state: string; generation?: number; assignment?: Record<string, number[]> }>(
        `${this.#path}/${this.id}/partitions/`,
        this.#self(),
      );
      if (answer.state === 'REJOIN') return this.#join();
      if (answer.state === 'OK') {
        this.#generation = answer.generation ?? -1;
        this.#given = answer.assignment ?? {};
        return;
      }
      if (answer.state !== 'WAITING') throw new Error(`${this.id}: sync answered ${answer.state}`);
      await this.#sleep(SYNC_AGAIN_MS);
    }
  }

  #self() {
    return { groupId: this.#options.group, clientId: this.id, generation: this.#generation };
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    const answer: Answer = await this.#options.dis.call('POST', path, { body });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.json as T;
  }

  async #sleep(ms: number): Promise<void> {
    if (ms === 0 || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

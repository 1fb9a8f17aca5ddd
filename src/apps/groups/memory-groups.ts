/**
 * Consumer groups in memory, for a node that has no others beside it: a heartbeat costs no statement. After a restart the
 * heartbeats of members tell them to join again. Only the generation outlives the process, since a commit of an old
 * generation has to be refused whenever it comes: generations are set aside in the catalog, a block at a time, before the
 * first of them is used.
 */
import type { Kysely } from 'kysely';
import { reserveGenerations } from '../../catalog/apps.ts';
import type { Database } from '../../catalog/schema.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import type { Clock } from '../../platform/clock.ts';
import { Lane } from '../../platform/lane.ts';
import { Group, type GroupStreams } from './group.ts';
import { emptyGroup } from './group-state.ts';
import type { GroupAct, GroupStore } from './group-store.ts';

export interface GroupStoreOptions {
  readonly db: Kysely<Database>;
  readonly streams: GroupStreams;
  readonly clock: Clock;
  readonly members: number;
  readonly sessionMs: number;
}

/** A restart skips what is left of a block. */
const GENERATIONS_PER_BLOCK = 100;

interface KnownGroup {
  readonly group: Group;
  /** The last generation that is set aside for it. */
  reserved: number;
}

export class MemoryGroups implements GroupStore {
  readonly #options: GroupStoreOptions;
  /** By id of the app. */
  readonly #groups = new Map<string, KnownGroup>();
  readonly #closed = new Set<string>();
  readonly #reservations = new Lane();

  constructor(options: GroupStoreOptions) {
    this.#options = options;
  }

  async join<T>({ id }: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    // Again each time: another member may have ended a round, and used up what was set aside, while this one waited.
    for (let known = this.#groups.get(id); !hasGeneration(known); known = this.#groups.get(id)) {
      if (!(await this.#reservations.run(() => this.#reserve(id)))) return undefined;
    }
    return this.#closed.has(id) ? undefined : this.#act(id, act);
  }

  async use<T>({ id }: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    return this.#act(id, act);
  }

  async useIn<T>(_transaction: unknown, { id }: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    return this.#act(id, act);
  }

  async whileClosed<T>({ id }: ConsumerApp, job: () => Promise<T>): Promise<T> {
    this.#closed.add(id);
    try {
      return await job();
    } finally {
      this.#closed.delete(id);
    }
  }

  forget(appId: string): void {
    this.#groups.delete(appId);
  }

  #act<T>(appId: string, act: GroupAct<T>): T | undefined {
    const group = this.#groups.get(appId)?.group;
    if (group === undefined) return undefined;
    const now = this.#options.clock.monotonic();
    group.advance(now);
    return act(group, now);
  }

  /**
   * Sets generations aside, unless another call has just done it, for a group that is made if need be. False when the app
   * is gone.
   */
  async #reserve(appId: string): Promise<boolean> {
    const { db, streams, members, sessionMs } = this.#options;
    const known = this.#groups.get(appId);
    if (hasGeneration(known)) return true;
    const reserved = await reserveGenerations(db, appId, GENERATIONS_PER_BLOCK);
    if (reserved === undefined) return false;
    if (known !== undefined) {
      known.reserved = reserved;
      return true;
    }
    const limits = { members, sessionMs, unsavedMs: 0 };
    const group = new Group(streams, limits, emptyGroup(reserved - GENERATIONS_PER_BLOCK));
    this.#groups.set(appId, { group, reserved });
    return true;
  }
}

/** Whether a generation is set aside for the round that a member may begin by joining. */
function hasGeneration(known: KnownGroup | undefined): boolean {
  return known !== undefined && known.group.generation < known.reserved;
}

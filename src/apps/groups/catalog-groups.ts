/**
 * Consumer groups in the catalog, so that any node answers for any member: each call locks the group's row, goes on from
 * what it says, and writes it back when it says something else then. The time of a group is the wall clock of the catalog,
 * as far as it goes forward. What a node has read is remembered under the revision of the row: a heartbeat that finds
 * nothing new reads no text.
 *
 * That a member lives is written a tenth of the session later at most, and a member is out that much later than its
 * session says: no node drops one whose heartbeats another node has answered.
 */
import type { Kysely } from 'kysely';
import { holdApps } from '../../catalog/apps.ts';
import { insertGroup, lockGroup, updateGroup, type StoredGroup } from '../../catalog/consumer-groups.ts';
import { lockingTransaction } from '../../catalog/row-locks.ts';
import type { Database } from '../../catalog/schema.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import { Lanes } from '../../platform/lanes.ts';
import { Group } from './group.ts';
import { decodeGroup, emptyGroup, encodeGroup } from './group-state.ts';
import type { GroupAct, GroupStore } from './group-store.ts';
import type { GroupStoreOptions } from './memory-groups.ts';

const UNSAVED_SHARE = 0.1;

interface Remembered {
  readonly revision: number;
  readonly group: Group;
}

/** What a call has come to. */
interface Outcome<T> {
  readonly result: T;
  /** To be remembered once the transaction is committed. */
  readonly remembered: Remembered;
}

export class CatalogGroups implements GroupStore {
  readonly #options: GroupStoreOptions;
  /** By id of the app; a group is in here while nobody is at it. */
  readonly #remembered = new Map<string, Remembered>();
  /** The calls of one node follow one another here, not each in a connection of its own. */
  readonly #lanes = new Lanes();

  constructor(options: GroupStoreOptions) {
    this.#options = options;
  }

  join<T>(app: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    return this.#run(app, async (transaction) => {
      const row = (await lockGroup(transaction, app.id)) ?? (await make(transaction, app.id));
      return row === undefined ? undefined : this.#act(transaction, app.id, row, act);
    });
  }

  use<T>(app: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    return this.#run(app, async (transaction) => {
      const row = await lockGroup(transaction, app.id);
      return row === undefined ? undefined : this.#act(transaction, app.id, row, act);
    });
  }

  async useIn<T>(transaction: Kysely<Database>, { id }: ConsumerApp, act: GroupAct<T>): Promise<T | undefined> {
    const row = await lockGroup(transaction, id);
    // Not remembered: nobody tells here whether the transaction was committed.
    return row === undefined ? undefined : (await this.#act(transaction, id, row, act)).result;
  }

  /** The lock of the app, see `deleteApp`, keeps others from making a group; a group that is there is locked itself. */
  whileClosed<T>(_app: ConsumerApp, job: () => Promise<T>): Promise<T> {
    return job();
  }

  forget(appId: string): void {
    this.#remembered.delete(appId);
  }

  async #run<T>(
    { id }: ConsumerApp,
    call: (transaction: Kysely<Database>) => Promise<Outcome<T> | undefined>,
  ): Promise<T | undefined> {
    const outcome = await this.#lanes.run(id, () => lockingTransaction(this.#options.db).execute(call));
    if (outcome === undefined) return undefined;
    this.#remembered.set(id, outcome.remembered);
    return outcome.result;
  }

  async #act<T>(transaction: Kysely<Database>, appId: string, row: StoredGroup, act: GroupAct<T>): Promise<Outcome<T>> {
    const now = Math.max(row.now ?? this.#options.clock.now(), row.updatedAt);
    const group = this.#take(appId, row);
    group.advance(now);
    const result = act(group, now);
    const state = group.takeUnsaved();
    if (state === undefined) return { result, remembered: { revision: row.revision, group } };
    const revision = row.revision + 1;
    await updateGroup(transaction, appId, { state: encodeGroup(state), revision, updatedAt: now });
    return { result, remembered: { revision, group } };
  }

  /** The group of a row. Nobody finds it here any more: what becomes of it may come to nothing. */
  #take(appId: string, { revision, state }: StoredGroup): Group {
    const known = this.#remembered.get(appId);
    this.#remembered.delete(appId);
    if (known?.revision === revision) return known.group;
    const { streams, members, sessionMs } = this.#options;
    const limits = { members, sessionMs, unsavedMs: sessionMs * UNSAVED_SHARE };
    return new Group(streams, limits, decodeGroup(state));
  }
}

/** Undefined when the app is gone. */
async function make(transaction: Kysely<Database>, appId: string): Promise<StoredGroup | undefined> {
  const generation = (await holdApps(transaction, [appId])).get(appId);
  if (generation === undefined) return undefined;
  await insertGroup(transaction, appId, encodeGroup(emptyGroup(generation)));
  return lockGroup(transaction, appId);
}

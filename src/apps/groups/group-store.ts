/**
 * Where consumer groups are kept: in the memory of the only node there is (memory-groups.ts), or in the catalog, where any
 * node goes on with what another has left (catalog-groups.ts).
 */
import type { Kysely } from 'kysely';
import type { Database } from '../../catalog/schema.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import type { Group } from './group.ts';

/** Looks at a group that is brought up to `now`, and may change it. Waits for nothing. */
export type GroupAct<T> = (group: Group, now: number) => T;

export interface GroupStore {
  /**
   * Runs `act` with the group of an app, made if need be, when nobody else is at it. What it changes is kept, and seen by
   * whoever comes next, unless it throws. Undefined when the app is gone.
   */
  join<T>(app: ConsumerApp, act: GroupAct<T>): Promise<T | undefined>;

  /** The same with a group that is there already; undefined when nobody has joined it yet. */
  use<T>(app: ConsumerApp, act: GroupAct<T>): Promise<T | undefined>;

  /**
   * The same within a locking transaction of the catalog: what `act` finds stays true until its end. Several groups must
   * come in order of the ids of their apps.
   */
  useIn<T>(transaction: Kysely<Database>, app: ConsumerApp, act: GroupAct<T>): Promise<T | undefined>;

  /** Runs `job`, which may delete the app; nobody joins once it has counted the members, see `useIn`, until it is done. */
  whileClosed<T>(app: ConsumerApp, job: () => Promise<T>): Promise<T>;

  /** Lets go of what is remembered of an app that is gone. */
  forget(appId: string): void;
}

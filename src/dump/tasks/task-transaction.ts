/**
 * Transactions about tasks that other nodes write about, too. The rows of the tasks are locked first, so whoever writes
 * about a task does so alone; then the leases are looked at, which nobody takes before the end. So what a node has decided
 * as the holder of a lease is written only while it is the holder.
 */
import type { Kysely } from 'kysely';
import { lockTasks, type LockedTask } from '../../catalog/dump-tasks.ts';
import { lockingTransaction } from '../../catalog/row-locks.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Lease } from '../../cluster/cluster.ts';
import type { DumpParts } from '../dump-config.ts';
import { taskLease } from './lease-names.ts';

export interface Claim {
  /** Ids; what is written is about these alone. */
  readonly tasks: Iterable<string>;
  readonly leases: readonly Lease[];
}

/** What is so until the end of the transaction. */
export interface Granted {
  /** By id; one that is deleted is missing. */
  readonly tasks: ReadonlyMap<string, LockedTask>;
  /** Names of leases that this node has lost: nothing may be written that relies on them. */
  readonly lost: ReadonlySet<string>;
}

/** `write` may be run more than once: it has no effect but in the catalog. */
export function taskTransaction<T>(
  { catalog, cluster }: Pick<DumpParts, 'catalog' | 'cluster'>,
  { tasks, leases }: Claim,
  write: (transaction: Kysely<Database>, granted: Granted) => Promise<T>,
): Promise<T> {
  return lockingTransaction(catalog.db).execute(async (transaction) => {
    const locked = await lockTasks(transaction, [...new Set(tasks)]);
    return write(transaction, { tasks: locked, lost: await cluster.leases.lost(transaction, leases) });
  });
}

/**
 * One about a task as a whole, which relies on the lease of that. Resolves to undefined, with nothing written, when this
 * node does not hold it, or the task is deleted.
 */
export async function ownTaskTransaction<T>(
  parts: Pick<DumpParts, 'catalog' | 'cluster'>,
  taskId: string,
  write: (transaction: Kysely<Database>, granted: Granted) => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  const lease = parts.cluster.leases.held(taskLease(taskId));
  if (lease === undefined) return undefined;
  return taskTransaction(parts, { tasks: [taskId], leases: [lease] }, async (transaction, granted) => {
    if (granted.lost.size > 0 || !granted.tasks.has(taskId)) return undefined;
    return { value: await write(transaction, granted) };
  });
}

/**
 * What the engine does when leases come and go. A pair that comes is read from the catalog before anything is done for it;
 * one that another node should have is given up when nothing of it runs; of one that was lost what runs is aborted: what it
 * has stored already the other node stores again, under the same keys and with the same bytes.
 */
import type { Lease, LeaseWatcher } from '../../cluster/cluster.ts';
import type { Lane } from '../../platform/lane.ts';
import type { DumpParts } from '../dump-config.ts';
import type { Runner } from '../runner.ts';
import { parseDumpLease } from './lease-names.ts';
import type { Pair, TaskTable } from './task-table.ts';

export interface HeldLeasesOptions {
  readonly parts: Pick<DumpParts, 'cluster' | 'logger'>;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  readonly runner: Runner;
  /** Pairs are this node's now. */
  readonly onPairs: (pairs: readonly Pair[]) => void;
  /** The work of a task as a whole is this node's now, or is not any more. */
  readonly onTask: (taskId: string, held: boolean) => void;
}

/** Leases and what they are for, as far as memory knows. */
interface Split {
  readonly pairs: readonly Pair[];
  /** Ids. */
  readonly tasks: readonly string[];
}

export class HeldLeases implements LeaseWatcher {
  readonly #options: HeldLeasesOptions;
  /** Those that another node should have and that are not given up yet. */
  readonly #wanted = new Map<string, Lease>();

  constructor(options: HeldLeasesOptions) {
    this.#options = options;
  }

  /** Whether another node should have a lease: nothing new is to be begun under it. */
  isWanted(lease: string): boolean {
    return this.#wanted.has(lease);
  }

  taken(leases: readonly Lease[]): void {
    const { pairs, tasks } = this.#split(leases);
    for (const pair of pairs) pair.uncertain = true;
    this.#options.onPairs(pairs);
    for (const id of tasks) this.#options.onTask(id, true);
  }

  wanted(leases: readonly Lease[]): void {
    for (const lease of leases) if (parseDumpLease(lease.name) !== undefined) this.#wanted.set(lease.name, lease);
    this.release();
  }

  lost(leases: readonly Lease[]): void {
    for (const { name } of leases) this.#wanted.delete(name);
    this.#leave(this.#split(leases));
  }

  /** Gives up what is wanted and not at work, as far as there is such. */
  release(): void {
    if (this.#wanted.size === 0) return;
    const { lane, parts } = this.#options;
    // In the lane: there nothing is planned or committed under way.
    lane
      .run(() => this.#release())
      .catch((error: unknown) => parts.logger.warn({ err: error }, 'leases could not be given up'));
  }

  async #release(): Promise<void> {
    const { cluster } = this.#options.parts;
    const wanted = [...this.#wanted.values()];
    const running = new Set(
      this.#split(wanted).pairs.filter(({ plan }) => plan?.phase === 'running').map(({ lease }) => lease), // prettier-ignore
    );
    const idle = wanted.filter(({ name }) => !running.has(name));
    if (idle.length === 0) return;
    this.#leave(this.#split(idle));
    for (const { name } of idle) this.#wanted.delete(name);
    await cluster.leases.release(idle);
  }

  #leave({ pairs, tasks }: Split): void {
    this.#options.runner.leave(pairs);
    for (const pair of pairs) pair.uncertain = true;
    for (const id of tasks) this.#options.onTask(id, false);
  }

  #split(leases: readonly Lease[]): Split {
    const pairs: Pair[] = [];
    const tasks: string[] = [];
    const parsed = leases.flatMap(({ name }) => parseDumpLease(name) ?? []);
    for (const [taskId, ofTask] of Map.groupBy(parsed, (lease) => lease.taskId)) {
      const partitions = new Set(ofTask.map(({ partition }) => partition));
      if (partitions.has(undefined)) tasks.push(taskId);
      for (const pair of this.#options.tasks.get(taskId)?.pairs ?? []) {
        if (partitions.has(pair.ref.partition)) pairs.push(pair);
      }
    }
    return { pairs, tasks };
  }
}

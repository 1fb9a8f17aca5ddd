/**
 * Work that one node does for all of them, by leases of their own. Each is a job that is over soon, may be done twice, and is
 * right whoever does it: so a lease that another node should have is given up at once.
 */
import type { Catalog } from '../catalog/catalog.ts';
import type { Cluster, Lease } from './cluster.ts';

const NAMES = [
  'retention',
  'automatic scaling',
  'log pruning',
  'log ranks',
  'leftover uploads',
  'token purge',
] as const;
export type Singleton = (typeof NAMES)[number];

const START = 'singleton/';

/** The job that a lease is for; undefined for one of other work. */
export function singletonOf(lease: string): Singleton | undefined {
  return NAMES.find((name) => lease === START + name);
}

export class Singletons {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** `onError` is told when a lease could not be given up. */
  static async open(
    { db }: Pick<Catalog, 'db'>,
    cluster: Cluster,
    onError: (error: unknown) => void,
  ): Promise<Singletons> {
    const names = NAMES.map((name) => START + name);
    await db.transaction().execute((transaction) => cluster.leases.add(transaction, names));
    cluster.leases.watch({
      taken() {},
      wanted(leases: readonly Lease[]) {
        const own = leases.filter(({ name }) => name.startsWith(START));
        if (own.length > 0) cluster.leases.release(own).catch(onError);
      },
      lost() {},
    });
    return new Singletons(cluster);
  }

  /** `job` where this node is the one that does it, and nothing where it is not. */
  run(name: Singleton, job: () => Promise<void>): () => Promise<void> {
    return async () => {
      if (this.#cluster.leases.held(START + name) !== undefined) await job();
    };
  }
}

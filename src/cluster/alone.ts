/** The only node there is: it holds every lease, and what it changes nobody else has in memory. */
import { Lanes } from '../platform/lanes.ts';
import type { Cluster, Leases, NodeStatus } from './cluster.ts';

export interface AloneOptions {
  readonly nodeId: string;
  readonly status: () => NodeStatus;
}

export class Alone implements Cluster {
  readonly nodeId: string;
  readonly current = true;
  readonly leases: Leases = {
    held: (name) => ({ name, epoch: 0 }),
    watch() {},
    async release() {},
    lost: async () => new Set(),
    async add() {},
    async remove() {},
  };
  readonly #status: () => NodeStatus;
  readonly #lanes = new Lanes();

  constructor({ nodeId, status }: AloneOptions) {
    this.nodeId = nodeId;
    this.#status = status;
  }

  async nodes(): Promise<readonly NodeStatus[]> {
    return [this.#status()];
  }

  follow(): void {}

  async announce(): Promise<void> {}

  async announceIn(): Promise<number> {
    return 0;
  }

  async settled(): Promise<void> {}

  exclusive<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.#lanes.run(name, job);
  }

  async close(): Promise<void> {}
}

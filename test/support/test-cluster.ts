/**
 * Nodes of one process that announce changes to one another through memory: for tests of what follows them. A change is
 * delivered when somebody waits until it is settled. There is nothing here of leases and memberships.
 */
import { Alone } from '../../src/cluster/alone.ts';
import type { Change, Cluster, Leases } from '../../src/cluster/cluster.ts';
import { Lanes } from '../../src/platform/lanes.ts';

type Take = (changes: readonly Change[] | 'all') => Promise<void>;

/** A server that has no others beside it. */
export function alone(): Cluster {
  const status = () => ({
    name: 'test',
    id: 'test',
    startedAt: 0,
    renewedAt: 0,
    version: '',
    url: '',
    leases: 0,
    changeSeen: 0,
    changeLast: 0,
  });
  return new Alone({ nodeId: 'test', status });
}

export class TestCluster {
  readonly #nodes: TestNode[] = [];
  readonly lanes = new Lanes();
  readonly changes: Change[] = [];

  join(): TestNode {
    const node = new TestNode(this, `node${this.#nodes.length + 1}`);
    this.#nodes.push(node);
    return node;
  }

  /** Every node but `from` takes the change in. */
  async deliver(change: Change, from: TestNode): Promise<void> {
    await Promise.all(this.#nodes.filter((node) => node !== from).map((node) => node.take([change])));
  }
}

export class TestNode implements Cluster {
  readonly nodeId: string;
  readonly leases: Leases = alone().leases;
  current = true;
  readonly #cluster: TestCluster;
  #take: Take | undefined;

  constructor(cluster: TestCluster, nodeId: string) {
    this.#cluster = cluster;
    this.nodeId = nodeId;
  }

  async nodes() {
    return [];
  }

  follow(take: Take): void {
    this.#take = take;
  }

  async take(changes: readonly Change[] | 'all'): Promise<void> {
    await this.#take?.(changes);
  }

  async announce(change: Change): Promise<void> {
    await this.#cluster.deliver(change, this);
  }

  async announceIn(_transaction: unknown, change: Change): Promise<number> {
    return this.#cluster.changes.push(change) - 1;
  }

  async settled(announced: number): Promise<void> {
    await this.#cluster.deliver(this.#cluster.changes[announced]!, this);
  }

  exclusive<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.#cluster.lanes.run(name, job);
  }

  async close(): Promise<void> {}
}

/**
 * Nodes of one process that announce changes to one another through memory: for tests of what follows them. A change is
 * delivered when somebody waits until it is settled, or when the test says so. With a catalog they have leases, too, which
 * the test moves.
 */
import type { Kysely } from 'kysely';
import type { Database } from '../../src/catalog/schema.ts';
import { Alone } from '../../src/cluster/alone.ts';
import type { Change, Cluster, Lease, Leases, LeaseWatcher } from '../../src/cluster/cluster.ts';
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
    leases: 'all' as const,
    changeSeen: 0,
    changeLast: 0,
  });
  return new Alone({ nodeId: 'test', status });
}

export class TestCluster {
  readonly lanes = new Lanes();
  readonly changes: { readonly change: Change; readonly from: TestNode }[] = [];
  readonly db: Kysely<Database> | undefined;
  readonly #nodes: TestNode[] = [];
  #joined = 0;
  /** Changes that the test has delivered. */
  #delivered = 0;

  constructor(db?: Kysely<Database>) {
    this.db = db;
  }

  join(): TestNode {
    this.#joined += 1;
    const node = new TestNode(this, `node${this.#joined}`);
    this.#nodes.push(node);
    return node;
  }

  /** Those that have not died. */
  get nodes(): readonly TestNode[] {
    return this.#nodes;
  }

  /** Its leases are free, and nobody waits for it any more. */
  bury(node: TestNode): void {
    node.asleep = true;
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
  }

  /** Every node but `from` takes the change in; those that are asleep count as dead. */
  async deliver(change: Change, from: TestNode): Promise<void> {
    const others = this.#nodes.filter((node) => node !== from && !node.asleep);
    await Promise.all(others.map((node) => node.take([change])));
  }

  /** Delivers what was announced and nobody has waited for. */
  async deliverAll(): Promise<void> {
    for (const { change, from } of this.changes.slice(this.#delivered)) await this.deliver(change, from);
    this.#delivered = this.changes.length;
  }

  /** Gives each lease that nobody awake holds to one of those that are, as `choose` says. */
  async giveFree(choose: (awake: readonly TestNode[]) => TestNode): Promise<void> {
    const awake = this.#nodes.filter(({ asleep }) => !asleep);
    if (awake.length === 0) return;
    const ids = new Set(awake.map(({ nodeId }) => nodeId));
    const rows = await this.db!.selectFrom('leases').selectAll().orderBy('name').execute();
    for (const row of rows) if (row.owner === null || !ids.has(row.owner)) await this.move(row, choose(awake));
  }

  /** Takes a lease from whoever has it, who is not told: it only finds that it holds the lease no more. */
  async move({ name, epoch, owner }: Lease & { readonly owner: string | null }, to: TestNode): Promise<void> {
    const taken = await this.db!.updateTable('leases')
      .set({ owner: to.nodeId, epoch: epoch + 1 })
      .where('name', '=', name)
      .where('epoch', '=', epoch)
      .executeTakeFirst();
    if (taken.numUpdatedRows === 0n) return;
    this.#nodes.find(({ nodeId }) => nodeId === owner)?.leases.lose(name);
    to.leases.gain({ name, epoch: epoch + 1 });
  }
}

export class TestNode implements Cluster {
  readonly nodeId: string;
  readonly leases: TestLeases;
  current = true;
  /** Its membership has lapsed: it holds nothing, what it has begun goes on, and it is told nothing. */
  asleep = false;
  readonly #cluster: TestCluster;
  #take: Take | undefined;

  constructor(cluster: TestCluster, nodeId: string) {
    this.#cluster = cluster;
    this.nodeId = nodeId;
    this.leases = new TestLeases(this, cluster.db);
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

  /** It joins again, and knows that it has missed something. */
  async wake(): Promise<void> {
    this.leases.loseAll();
    this.asleep = false;
    await this.take('all');
  }

  async announce(change: Change): Promise<void> {
    await this.#cluster.deliver(change, this);
  }

  async announceIn(_transaction: unknown, change: Change): Promise<number> {
    return this.#cluster.changes.push({ change, from: this }) - 1;
  }

  async settled(announced: number): Promise<void> {
    await this.#cluster.deliver(this.#cluster.changes[announced]!.change, this);
  }

  exclusive<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.#cluster.lanes.run(name, job);
  }

  async close(): Promise<void> {}
}

/** Those of one node; without a catalog it holds all there are. */
class TestLeases implements Leases {
  readonly #node: TestNode;
  readonly #db: Kysely<Database> | undefined;
  readonly #held = new Map<string, Lease>();
  /** Not held any more, and nobody has told the watcher. */
  readonly #untold: Lease[] = [];
  #watcher: LeaseWatcher | undefined;

  constructor(node: TestNode, db: Kysely<Database> | undefined) {
    this.#node = node;
    this.#db = db;
  }

  held(name: string): Lease | undefined {
    if (this.#db === undefined) return { name, epoch: 0 };
    return this.#node.asleep ? undefined : this.#held.get(name);
  }

  watch(watcher: LeaseWatcher): void {
    this.#watcher = watcher;
    watcher.taken([...this.#held.values()]);
  }

  gain(lease: Lease): void {
    this.#held.set(lease.name, lease);
    this.#watcher?.taken([lease]);
  }

  lose(name: string): void {
    const lease = this.#held.get(name);
    if (lease !== undefined) this.#untold.push(lease);
    this.#held.delete(name);
  }

  loseAll(): void {
    for (const name of [...this.#held.keys()]) this.lose(name);
    this.tell();
  }

  /** Tells the watcher what was lost. */
  tell(): void {
    // What came back meanwhile is lost and taken: the watcher is told in that order.
    const lost = this.#untold.splice(0);
    this.#watcher?.lost(lost);
    this.#watcher?.taken(lost.flatMap(({ name }) => this.held(name) ?? []));
  }

  want(): void {
    this.#watcher?.wanted([...this.#held.values()]);
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const { name, epoch } of leases) {
      if (this.#held.get(name)?.epoch === epoch) this.#held.delete(name);
      await this.#db
        ?.updateTable('leases')
        .set({ owner: null })
        .where('name', '=', name)
        .where('epoch', '=', epoch)
        .where('owner', '=', this.#node.nodeId)
        .execute();
    }
  }

  async lost(transaction: Kysely<Database>, leases: readonly Lease[]): Promise<ReadonlySet<string>> {
    if (this.#db === undefined || leases.length === 0) return new Set();
    const names = leases.map(({ name }) => name);
    const query = transaction.selectFrom('leases').selectAll().where('name', 'in', names);
    const rows = new Map((await query.execute()).map((row) => [row.name, row]));
    const isOwn = ({ name, epoch }: Lease) => rows.get(name)?.owner === this.#node.nodeId && rows.get(name)!.epoch === epoch; // prettier-ignore
    return new Set(leases.filter((lease) => !isOwn(lease)).map(({ name }) => name));
  }

  async add(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
    if (this.#db === undefined || names.length === 0) return;
    const rows = names.map((name) => ({ name, owner: null, epoch: 0, taken_at: null }));
    await transaction
      .insertInto('leases')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async remove(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
    if (this.#db === undefined || names.length === 0) return;
    await transaction.deleteFrom('leases').where('name', 'in', names).execute();
  }
}

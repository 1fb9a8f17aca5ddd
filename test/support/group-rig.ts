/** A coordinator of consumer groups on a clock that tests move, with a catalog that outlives it. */
import assert from 'node:assert/strict';
import { AppRegistry } from '../../src/apps/app-registry.ts';
import { GroupCoordinator, type JoinCall, type JoinOutcome } from '../../src/apps/groups/group-coordinator.ts';
import { NamePattern } from '../../src/apps/groups/name-pattern.ts';
import { insertApp } from '../../src/catalog/apps.ts';
import { lockingTransaction } from '../../src/catalog/row-locks.ts';
import type { ConsumerApp } from '../../src/model/consumer-app.ts';
import type { Limits } from '../../src/model/limits.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { Stream } from '../../src/model/stream.ts';
import { StreamRegistry } from '../../src/streams/stream-registry.ts';
import { ManualClock } from './manual-clock.ts';
import { makePrincipal } from './principal.ts';
import { makeStream } from './streams.ts';
import { openTestCatalog, type TestCatalog } from './catalog.ts';

export const SESSION_MS = 30_000;

/** What a member asks for; `streams` by name. */
export interface Wish extends Partial<Omit<JoinCall, 'interest' | 'clientId'>> {
  readonly streams?: readonly string[];
  readonly ids?: readonly string[];
  readonly pattern?: string;
  readonly caller?: Principal;
}

export interface GroupRigOptions {
  readonly streams?: readonly Stream[];
  readonly limits?: Partial<Limits>;
  /** More than one: their groups are in the catalog. */
  readonly nodes?: number;
}

interface Node {
  readonly registry: StreamRegistry;
  coordinator: GroupCoordinator;
}

export class GroupRig {
  readonly clock = new ManualClock();
  readonly apps = new AppRegistry();
  readonly app: ConsumerApp;
  readonly #catalog: TestCatalog;
  readonly #limits: Limits;
  readonly #nodes: readonly Node[];
  /** Index of the node that is called. */
  node = 0;

  private constructor(catalog: TestCatalog, app: ConsumerApp, options: GroupRigOptions) {
    const { streams = [makeStream({ partitionCount: 4 })], limits = {}, nodes = 1 } = options;
    this.#catalog = catalog;
    this.app = app;
    this.apps.add(app);
    this.#limits = { group_members: 10, group_session_seconds: SESSION_MS / 1000, ...limits } as Limits;
    this.#nodes = Array.from({ length: nodes }, () => {
      const registry = new StreamRegistry(streams);
      return { registry, coordinator: this.#start(registry, nodes > 1) };
    });
  }

  /** With an app of its own in `catalog`, which may be shared between rigs. */
  static async make(catalog: TestCatalog, options: GroupRigOptions = {}): Promise<GroupRig> {
    apps += 1;
    const app = { id: `app${apps}`, projectId: 'project', name: `group${apps}`, createdAt: 0 };
    assert.ok(await insertApp(catalog.db, app));
    return new GroupRig(catalog, app, options);
  }

  static async open(options: GroupRigOptions = {}) {
    const catalog = await openTestCatalog();
    const rig = await GroupRig.make(catalog, options);
    return Object.assign(rig, { [Symbol.asyncDispose]: () => catalog.close() });
  }

  /** What the node had in memory is gone. */
  restart(): void {
    const node = this.#nodes[this.node]!;
    node.coordinator = this.#start(node.registry, this.#nodes.length > 1);
  }

  nextNode(): void {
    this.node = (this.node + 1) % this.#nodes.length;
  }

  get coordinator(): GroupCoordinator {
    return this.#nodes[this.node]!.coordinator;
  }

  get registry(): StreamRegistry {
    return this.#nodes[this.node]!.registry;
  }

  /** Of every node. */
  get registries(): readonly StreamRegistry[] {
    return this.#nodes.map(({ registry }) => registry);
  }

  onlineMembers(): Promise<number> {
    return lockingTransaction(this.#catalog.db).execute((transaction) =>
      this.coordinator.whileClosed(this.app, (count) => count(transaction)),
    );
  }

  join(clientId: string, wish: Wish = { streams: ['stream1'] }): Promise<JoinOutcome> {
    const { caller = makePrincipal(), streams = [], ids = [], pattern, accelerated = true, rebalanceTimeoutMs } = wish;
    return this.coordinator.join('project', this.app.name, {
      clientId,
      interest: {
        caller,
        names: streams,
        ids,
        pattern: pattern === undefined ? undefined : new NamePattern(pattern),
      },
      accelerated,
      rebalanceTimeoutMs,
    });
  }

  /** Joins where that must go well; ms to wait before the sync. */
  async joined(clientId: string, wish?: Wish): Promise<number> {
    const outcome = await this.join(clientId, wish);
    assert.ok(outcome.state === 'OK', outcome.state);
    return outcome.syncDelayedTimeMs;
  }

  async sync(clientId: string) {
    return this.coordinator.sync('project', this.app.name, clientId);
  }

  /** Syncs where the partitions must be settled. */
  async synced(
    clientId: string,
  ): Promise<{ readonly generation: number; readonly assignment: Readonly<Record<string, number[]>> }> {
    const outcome = await this.sync(clientId);
    assert.ok(outcome.state === 'OK', outcome.state);
    return outcome;
  }

  async heartbeat(clientId: string, generation?: number) {
    return this.coordinator.heartbeat('project', this.app.name, clientId, generation);
  }

  async leave(clientId: string): Promise<void> {
    await this.coordinator.leave('project', this.app.name, clientId);
  }

  /** Throws what a commit of this member would be refused with. */
  async requireOwner(clientId: string, generation: number | undefined, partition: number, stream = 1): Promise<void> {
    const claim = { clientId, generation, ref: { stream, partition } };
    const [refusal] = await lockingTransaction(this.#catalog.db).execute((transaction) =>
      this.coordinator.refusals(transaction, this.app, [claim]),
    );
    if (refusal !== undefined) throw refusal;
  }

  #start(registry: StreamRegistry, shared: boolean): GroupCoordinator {
    const { apps, clock } = this;
    return new GroupCoordinator({ db: this.#catalog.db, apps, registry, clock, limits: this.#limits, shared });
  }
}

let apps = 0;

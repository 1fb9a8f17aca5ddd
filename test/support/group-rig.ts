/** A coordinator of consumer groups on a clock that tests move, with a catalog that outlives it. */
import assert from 'node:assert/strict';
import { AppRegistry } from '../../src/apps/app-registry.ts';
import { GroupCoordinator, type JoinCall, type JoinOutcome } from '../../src/apps/groups/group-coordinator.ts';
import { NamePattern } from '../../src/apps/groups/name-pattern.ts';
import { insertApp } from '../../src/catalog/apps.ts';
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

export class GroupRig {
  readonly clock = new ManualClock();
  readonly registry: StreamRegistry;
  readonly apps = new AppRegistry();
  readonly app: ConsumerApp;
  readonly #catalog: TestCatalog;
  readonly #limits: Limits;
  #coordinator: GroupCoordinator;

  private constructor(catalog: TestCatalog, app: ConsumerApp, streams: Iterable<Stream>, limits: Partial<Limits>) {
    this.#catalog = catalog;
    this.registry = new StreamRegistry(streams);
    this.app = app;
    this.apps.add(app);
    this.#limits = { group_members: 10, group_session_seconds: SESSION_MS / 1000, ...limits } as Limits;
    this.#coordinator = this.#start();
  }

  /** With an app of its own in `catalog`, which may be shared between rigs. */
  static async make(
    catalog: TestCatalog,
    {
      streams = [makeStream({ partitionCount: 4 })],
      limits = {},
    }: { streams?: Stream[]; limits?: Partial<Limits> } = {},
  ): Promise<GroupRig> {
    apps += 1;
    const app = { id: `app${apps}`, projectId: 'project', name: `group${apps}`, createdAt: 0 };
    assert.ok(await insertApp(catalog.db, app));
    return new GroupRig(catalog, app, streams, limits);
  }

  static async open(options: { streams?: Stream[]; limits?: Partial<Limits> } = {}) {
    const catalog = await openTestCatalog();
    const rig = await GroupRig.make(catalog, options);
    return Object.assign(rig, { [Symbol.asyncDispose]: () => catalog.close() });
  }

  /** What was in memory is gone. */
  restart(): void {
    this.#coordinator = this.#start();
  }

  get coordinator(): GroupCoordinator {
    return this.#coordinator;
  }

  join(clientId: string, wish: Wish = { streams: ['stream1'] }): Promise<JoinOutcome> {
    const { caller = makePrincipal(), streams = [], ids = [], pattern, accelerated = true, rebalanceTimeoutMs } = wish;
    return this.#coordinator.join('project', this.app.name, {
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

  sync(clientId: string) {
    return this.#coordinator.sync('project', this.app.name, clientId);
  }

  /** Syncs where the partitions must be settled. */
  synced(clientId: string): { readonly generation: number; readonly assignment: Readonly<Record<string, number[]>> } {
    const outcome = this.sync(clientId);
    assert.ok(outcome.state === 'OK', outcome.state);
    return outcome;
  }

  heartbeat(clientId: string, generation?: number) {
    return this.#coordinator.heartbeat('project', this.app.name, clientId, generation);
  }

  leave(clientId: string): void {
    this.#coordinator.leave('project', this.app.name, clientId);
  }

  /** Throws what a commit of this member would be refused with. */
  requireOwner(clientId: string, generation: number | undefined, partition: number, stream = 1): void {
    this.#coordinator.requireOwner(this.app, clientId, generation, { stream, partition });
  }

  #start(): GroupCoordinator {
    const { apps, registry, clock } = this;
    return new GroupCoordinator({ db: this.#catalog.db, apps, registry, clock, limits: this.#limits });
  }
}

let apps = 0;

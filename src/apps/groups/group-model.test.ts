/**
 * Random histories of a group against what its members may rely on: whatever happens, no partition is handed to two
 * members of one generation, generations only rise, a commit is taken only from a generation than which none newer has
 * been handed out, and once members do what they are told for a while everything is somebody's. With several nodes each
 * call goes through any of them, and some know of a change of streams later than others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ONLY_SQLITE, openTestCatalog } from '../../../test/support/catalog.ts';
import { GroupRig, type Wish } from '../../../test/support/group-rig.ts';
import { makeStream } from '../../../test/support/streams.ts';
import type { Stream } from '../../model/stream.ts';
import type { StreamRegistry } from '../../streams/stream-registry.ts';

const CLIENTS = ['a', 'b', 'c', 'd'];
const WISHES: readonly Wish[] = [
  { streams: ['stream1'] },
  { streams: ['stream1', 'stream2'] },
  { pattern: 'stream.*' },
  { pattern: 'stream[23]', accelerated: false, rebalanceTimeoutMs: 5000 },
];

type Step =
  | { readonly kind: 'join'; readonly client: string; readonly wish: number }
  | { readonly kind: 'sync' | 'heartbeat' | 'leave' | 'commit'; readonly client: string }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'stream'; readonly number: number; readonly partitions: number }
  | { readonly kind: 'restart' };

/** One that is made through a node. */
interface Call {
  readonly node: number;
  readonly step: Step;
}

const client = fc.constantFrom(...CLIENTS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('join' as const), client, wish: fc.nat({ max: WISHES.length - 1 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('sync' as const), client }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('heartbeat' as const, 'commit' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), client }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 3000, 10_000, 31_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stream' as const),
      number: fc.integer({ min: 2, max: 3 }),
      partitions: fc.nat({ max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

interface Grant {
  readonly generation: number;
  /** `stream:partition`. */
  readonly partitions: ReadonlySet<string>;
}

class Model {
  readonly #rig: GroupRig;
  /** As every node will know them. */
  readonly #streams = new Map<number, Stream>();
  /** What each member believes to have. */
  readonly #grants = new Map<string, Grant>();
  /** Owners by generation and partition. */
  readonly #owners = new Map<string, string>();
  readonly #wishes = new Map<string, Wish>();
  #newest = 0;

  constructor(rig: GroupRig) {
    this.#rig = rig;
    for (const stream of rig.registry.all()) this.#streams.set(stream.number, stream);
  }

  async run({ node, step }: Call): Promise<void> {
    this.#rig.node = node;
    switch (step.kind) {
      case 'join':
        return this.#join(step.client, WISHES[step.wish]!);
      case 'sync':
        return this.#sync(step.client);
      case 'heartbeat':
        return void (await this.#heartbeat(step.client));
      case 'commit':
        return this.#commit(step.client);
      case 'leave':
        await this.#rig.leave(step.client);
        return;
      case 'pass':
        this.#rig.clock.advance(step.ms);
        return this.#announceStreams();
      case 'stream':
        return this.#changeStream(step.number, step.partitions);
      case 'restart':
        this.#rig.restart();
        return;
    }
  }

  /** All members do what they are told, a heartbeat every ten seconds, until they are settled. */
  async settle(): Promise<void> {
    this.#announceStreams();
    for (const one of CLIENTS) this.#wishes.set(one, this.#wishes.get(one) ?? WISHES[0]!);
    for (let heartbeats = 0; heartbeats < 8; heartbeats += 1) {
      let settled = true;
      for (const one of CLIENTS) {
        this.#rig.nextNode();
        const state = await this.#heartbeat(one);
        if (state === 'STABLE') continue;
        settled = false;
        if (state === 'JOINING') await this.#join(one, this.#wishes.get(one)!);
        await this.#sync(one);
      }
      if (settled) return this.#checkComplete();
      this.#rig.clock.advance(10_000);
    }
    assert.fail('the group is not settled after eight heartbeats');
  }

  async #join(client: string, wish: Wish): Promise<void> {
    const { state } = await this.#rig.join(client, wish);
    if (state === 'OK') this.#wishes.set(client, wish);
    // Its stream is gone.
    else this.#wishes.set(client, WISHES[0]!);
  }

  async #sync(client: string): Promise<void> {
    const outcome = await this.#rig.sync(client);
    if (outcome.state !== 'OK') return;
    const { generation, assignment } = outcome;
    assert.ok(generation >= this.#newest, 'generations only rise');
    this.#newest = generation;
    const partitions = new Set<string>();
    for (const [stream, numbers] of Object.entries(assignment)) {
      for (const number of numbers) {
        const partition = `${stream}:${number}`;
        partitions.add(partition);
        const key = `${generation} ${partition}`;
        assert.equal(this.#owners.get(key) ?? client, client, `${partition} is given out twice`);
        this.#owners.set(key, client);
      }
    }
    this.#grants.set(client, { generation, partitions });
  }

  #heartbeat(client: string) {
    return this.#rig.heartbeat(client, this.#grants.get(client)?.generation ?? -1);
  }

  /** Of everything that there is, under the generation that the member believes to be in. */
  async #commit(client: string): Promise<void> {
    const grant = this.#grants.get(client);
    for (const { number: stream, name, partitions } of this.#rig.registry.all()) {
      for (const { ref } of partitions) {
        let refusal: unknown;
        try {
          await this.#rig.requireOwner(client, grant?.generation ?? 0, ref.partition, stream);
        } catch (error) {
          refusal = error;
        }
        if (refusal !== undefined) continue;
        assert.equal(grant?.generation, this.#newest, 'a commit of an old generation was taken');
        assert.ok(grant.partitions.has(`${name}:${ref.partition}`), 'a commit of what was not given was taken');
      }
    }
  }

  #changeStream(number: number, partitions: number): void {
    const stream = makeStream({ number, partitionCount: Math.max(1, partitions) });
    if (partitions === 0) this.#streams.delete(number);
    else this.#streams.set(number, stream);
    // The others hear of it later.
    takeIn(this.#rig.registry, this.#streams);
  }

  #announceStreams(): void {
    for (const registry of this.#rig.registries) takeIn(registry, this.#streams);
  }

  /** Every partition that anybody is interested in is somebody's, who may commit. */
  async #checkComplete(): Promise<void> {
    const newest = Math.max(...CLIENTS.map((one) => this.#grants.get(one)!.generation));
    const wanted = new Set<string>();
    for (const stream of this.#rig.registry.all()) {
      const fits = ({ streams, pattern }: Wish) =>
        streams?.includes(stream.name) ?? new RegExp(`^(${pattern})$`).test(stream.name);
      if (![...this.#wishes.values()].some(fits)) continue;
      for (const { ref } of stream.partitions) wanted.add(`${stream.name}:${ref.partition}`);
    }
    const given = new Set<string>();
    for (const one of CLIENTS) {
      const { generation, partitions } = this.#grants.get(one)!;
      assert.equal(generation, newest);
      for (const partition of partitions) {
        given.add(partition);
        const [stream = '', number] = partition.split(':');
        await this.#rig.requireOwner(
          one,
          generation,
          Number(number),
          this.#rig.registry.find('project', stream)!.number,
        );
      }
    }
    assert.deepEqual([...given].sort(), [...wanted].sort());
  }
}

function takeIn(registry: StreamRegistry, streams: ReadonlyMap<number, Stream>): void {
  for (const known of registry.all()) if (!streams.has(known.number)) registry.remove(known);
  for (const stream of streams.values()) if (registry.byNumber(stream.number) !== stream) registry.add(stream);
}

for (const [where, nodes, options] of [
  ['in memory', 1, {}],
  ['in the catalog, through three nodes', 3, ONLY_SQLITE],
] as const) {
  test(`property: nobody shares a partition, and everything is somebody’s in the end: ${where}`, options, async () => {
    await using catalog = await openTestCatalog();
    const call = fc.record({ node: fc.nat({ max: nodes - 1 }), step });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 60 }), async (calls) => {
        const streams = [1, 2].map((number) => makeStream({ number, partitionCount: 3 }));
        const model = new Model(await GroupRig.make(catalog, { streams, nodes }));
        for (const one of calls) await model.run(one);
        await model.settle();
      }),
      { numRuns: nodes === 1 ? 300 : 60 },
    );
  });
}

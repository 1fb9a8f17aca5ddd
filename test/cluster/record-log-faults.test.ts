/**
 * The log on Kafka while its brokers are killed, stopped or full of other troubles: what was acknowledged is there once
 * and in its place, what was refused is not there, and what has an unknown outcome is there once at the most.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import type { PartitionRef } from '../../src/model/stream.ts';
import type { AppendOutcome, RecordLog } from '../../src/recordlog/record-log.ts';
import { startKafka, type KafkaBroker, type KafkaCluster } from '../support/kafka-cluster.ts';
import { openLogOn } from '../support/kafka-log.ts';
import { seededFraction } from '../support/random.ts';
import { batchOf, recordsOf } from '../support/records.ts';
import { testRounds, testSeed } from '../support/seed.ts';

const PARTITIONS = 4;
const ROUNDS = testRounds('SLUICE_KAFKA_ROUNDS', 3);

describe('the log on Kafka in trouble', () => {
  let kafka: KafkaCluster;
  let streams = 0;

  before(async () => {
    kafka = await startKafka({ brokers: 3 });
  });
  after(() => kafka.stop());

  async function newStream(log: RecordLog, partitions = PARTITIONS): Promise<PartitionRef[]> {
    streams += 1;
    const refs = Array.from({ length: partitions }, (_, partition) => ({ stream: streams, partition }));
    await log.addPartitions(refs);
    return refs;
  }

  /** Changes one setting of a stream's topic. */
  async function configure(stream: number, name: string, value: string): Promise<void> {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...kafka.bootstrap] });
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: `sluice-${stream}`,
          configs: [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }],
        },
      ],
    });
    await admin.close();
  }

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    test(`brokers that get ${signal} while records come`, { timeout: 240_000 }, async () => {
      const fraction = seededFraction(testSeed());
      const { log, reports } = await openLogOn(kafka.bootstrap, { timeout_ms: 8000 });
      const refs = await newStream(log);
      const load = new Load(log, refs, fraction);
      const running = load.run();
      for (let round = 0; round < ROUNDS; round += 1) {
        await setTimeout(300 + fraction() * 700);
        const broker = kafka.brokers[Math.floor(fraction() * 3)]!;
        await broker.kill(signal);
        await setTimeout(2000 + fraction() * 4000);
        await revive(broker, signal);
        await load.untilStored(20);
      }
      load.stop();
      await running;
      await load.check();
      const { stored, unknown, refused } = load.counts;
      console.error(`# ${signal}: ${stored} stored, ${unknown} unknown, ${refused} refused; ${reports.length} reports`);
      assert.ok(!reports.some((line) => line.includes('lost')), reports.join('\n'));
      await log.close();
    });
  }

  test('with too few replicas appends are refused, soon at once, and taken again when there are enough', async () => {
    const { log } = await openLogOn(kafka.bootstrap, { timeout_ms: 2000 });
    const [ref] = await newStream(log, 1);
    assert.ok('firstSequence' in (await one(log, ref!, 'before')));
    await configure(ref!.stream, 'min.insync.replicas', '3');
    await kafka.brokers[0]!.kill('SIGKILL');
    const refused = await untilRefused(log, ref!, 'NOT_ENOUGH_REPLICAS]');
    assert.equal(refused.error.kind, 'LogUnavailable');
    // One finds out how it is; those beside it are told at once.
    const probe = one(log, ref!, 'probe');
    const startedAt = performance.now();
    const beside = await one(log, ref!, 'beside');
    assert.ok('error' in beside && beside.error.kind === 'LogUnavailable');
    assert.ok(performance.now() - startedAt < 200);
    assert.ok('error' in (await probe));
    // Reads go on.
    assert.equal(recordsOf(await log.read(ref!, 0, 1))[0]?.data, 'before');

    await kafka.brokers[0]!.start();
    await untilStored(log, ref!);
    const { next } = await log.bounds(ref!);
    const data = recordsOf(await log.read(ref!, 0, 1_000_000)).map((record) => record.data);
    assert.equal(data.length, next);
    assert.equal(data.at(-1), 'until stored');
    assert.ok(data.slice(0, -1).every((each) => each === 'before'));
    await log.close();
  });

  test('a record that is too large is refused alone', async () => {
    const { log } = await openLogOn(kafka.bootstrap);
    const [ref] = await newStream(log, 1);
    await configure(ref!.stream, 'max.message.bytes', '10000');
    await setTimeout(500);
    const sizes = [10, 9000, 9900, 10_100, 20, 30_000, 8000];
    const outcomes = await Promise.all(sizes.map((size) => one(log, ref!, 'x'.repeat(size))));
    const limit = 10_000 - 61 - 10;
    for (const [index, outcome] of outcomes.entries()) {
      if (sizes[index]! <= limit) assert.ok('firstSequence' in outcome, `${sizes[index]} bytes`);
      else assert.ok('error' in outcome && outcome.error.kind === 'RecordTooLarge', `${sizes[index]} bytes`);
    }
    const found = recordsOf(await log.read(ref!, 0, 1_000_000)).map(({ data }) => data.length);
    assert.deepEqual(
      found,
      sizes.filter((size) => size <= limit),
    );
    await log.close();
  });

  test('when no broker answers everything is refused at once, memory is bounded, and it recovers by itself', async () => {
    const { log, reports } = await openLogOn(kafka.bootstrap, { timeout_ms: 3000, max_pending_bytes: 8 * 1024 * 1024 });
    const [ref] = await newStream(log, 1);
    assert.ok('firstSequence' in (await one(log, ref!, 'before')));
    await Promise.all(kafka.brokers.map((broker) => broker.kill('SIGSTOP')));

    const large = 'x'.repeat(1024 * 1024);
    const startedAt = performance.now();
    const waiting = Promise.all(Array.from({ length: 20 }, () => one(log, ref!, large)));
    const beyond = await one(log, ref!, large);
    assert.ok('error' in beyond && beyond.error.kind === 'TooManyRequests');
    assert.ok(performance.now() - startedAt < 500);
    const kinds = (await waiting).map((outcome) => ('error' in outcome ? outcome.error.kind : 'stored'));
    assert.equal(kinds.filter((kind) => kind === 'TooManyRequests').length, 13);
    assert.ok(
      kinds.every((kind) => ['TooManyRequests', 'OutcomeUnknown', 'LogUnavailable'].includes(kind)),
      kinds.join(' '),
    );
    assert.ok(performance.now() - startedAt < 4500);

    while (log.failure === undefined) await setTimeout(50);
    const failedAt = performance.now();
    assert.equal(log.failure.kind, 'LogUnavailable');
    const refused = await one(log, ref!, 'refused');
    assert.ok('error' in refused && refused.error.kind === 'LogUnavailable');
    await assert.rejects(log.read(ref!, 0, 1), /cannot be reached/);
    await assert.rejects(log.bounds(ref!), /cannot be reached/);
    assert.ok(performance.now() - failedAt < 200);

    await Promise.all(kafka.brokers.map((broker) => broker.kill('SIGCONT')));
    await untilStored(log, ref!);
    assert.equal(log.failure, undefined);
    assert.ok(reports.some((line) => line.includes('no broker of Kafka can be reached')));
    assert.ok(reports.some((line) => line.includes('can be reached again')));
    const data = recordsOf(await log.read(ref!, 0, 100_000_000)).map((record) => record.data);
    assert.equal(data[0], 'before');
    assert.equal(data.filter((each) => each === 'until stored').length, 1);
    assert.ok(data.filter((each) => each === large).length <= 7);
    await log.close();
  });

  test('topics of streams that were deleted while Kafka was away are deleted at the next start', async () => {
    const { log } = await openLogOn(kafka.bootstrap);
    const [gone] = await newStream(log, 1);
    await one(log, gone!, 'x');
    await log.close();
    const again = await openLogOn(kafka.bootstrap, {}, [gone!.stream]);
    await again.log.close();
    const { log: third } = await openLogOn(kafka.bootstrap);
    await assert.rejects(third.bounds(gone!), /Stream does not exist/);
    await third.close();
  });
});

/** Appends records that know who they are, several requests at a time, and remembers what became of each. */
class Load {
  readonly #log: RecordLog;
  readonly #refs: readonly PartitionRef[];
  readonly #fraction: () => number;
  readonly #stored = new Map<PartitionRef, Map<number, string>>();
  readonly #fate = new Map<string, 'stored' | 'unknown' | 'refused'>();
  #stopped = false;
  #records = 0;

  constructor(log: RecordLog, refs: readonly PartitionRef[], fraction: () => number) {
    this.#log = log;
    this.#refs = refs;
    this.#fraction = fraction;
    for (const ref of refs) this.#stored.set(ref, new Map());
  }

  get counts(): Record<'stored' | 'unknown' | 'refused', number> {
    const counts = { stored: 0, unknown: 0, refused: 0 };
    for (const fate of this.#fate.values()) counts[fate] += 1;
    return counts;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: 8 }, () => this.#loop()));
  }

  stop(): void {
    this.#stopped = true;
  }

  async untilStored(more: number): Promise<void> {
    for (const target = this.counts.stored + more; this.counts.stored < target;) await setTimeout(50);
  }

  async check(): Promise<void> {
    const seen = new Map<string, number>();
    for (const ref of this.#refs) {
      const { next } = await this.#log.bounds(ref);
      const found: string[] = [];
      while (found.length < next) {
        const blocks = await this.#log.read(ref, found.length, 1_000_000);
        found.push(...recordsOf(blocks).map(({ data }) => data));
      }
      for (const data of found) seen.set(data, (seen.get(data) ?? 0) + 1);
      for (const [sequence, data] of this.#stored.get(ref)!) assert.equal(found[sequence], data);
    }
    for (const [data, fate] of this.#fate) {
      const times = seen.get(data) ?? 0;
      if (fate === 'stored') assert.equal(times, 1, `${data} is there ${times} times`);
      if (fate === 'unknown') assert.ok(times <= 1, `${data} is there ${times} times`);
      if (fate === 'refused') assert.equal(times, 0, `${data} was refused and is there`);
    }
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const batches = this.#refs
        .filter(() => this.#fraction() < 0.6)
        .map((ref) => {
          const count = 1 + Math.floor(this.#fraction() * 3);
          const records = Array.from({ length: count }, () => ({ data: `record ${(this.#records += 1)}` }));
          return { ref, records };
        });
      const outcomes = await this.#log.append(batches.map(({ ref, records }) => batchOf(ref, records)));
      batches.forEach(({ ref, records }, index) => {
        const outcome = outcomes[index]!;
        records.forEach(({ data }, place) => {
          if ('error' in outcome) {
            this.#fate.set(data, outcome.error.kind === 'OutcomeUnknown' ? 'unknown' : 'refused');
          } else {
            this.#fate.set(data, 'stored');
            this.#stored.get(ref)!.set(outcome.firstSequence + place, data);
          }
        });
      });
      await setTimeout(2);
    }
  }
}

async function revive(broker: KafkaBroker, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  if (signal === 'SIGSTOP') await broker.kill('SIGCONT');
  else await broker.start();
}

async function one(log: RecordLog, ref: PartitionRef, data: string): Promise<AppendOutcome> {
  const [outcome] = await log.append([batchOf(ref, [{ data }])]);
  return outcome!;
}

/** Appends until that is refused for the reason given. */
async function untilRefused(
  log: RecordLog,
  ref: PartitionRef,
  reason: string,
): Promise<Extract<AppendOutcome, { error: unknown }>> {
  for (;;) {
    const outcome = await one(log, ref, 'before');
    if ('error' in outcome && outcome.error.message.includes(reason)) return outcome;
    await setTimeout(50);
  }
}

async function untilStored(log: RecordLog, ref: PartitionRef): Promise<void> {
  while (!('firstSequence' in (await one(log, ref, 'until stored')))) await setTimeout(100);
}

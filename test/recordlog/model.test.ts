/**
 * The local log against a model, on a disk that crashes: random appends, reads, trims, seeks, deletions, full disks,
 * failed syncs, restarts and power losses, in any order. After each restart every acknowledged record must be there,
 * once and in order; a record that was on its way may be there, but then whole and in its place.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AppendOutcome, RecordLog } from '../../src/recordlog/record-log.ts';
import { isDomainError } from '../../src/model/errors.ts';
import { openLocalLog } from '../../src/recordlog/local/local-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { seededFraction } from '../support/random.ts';
import { batchOf, recordsOf, type PlainRecord } from '../support/records.ts';
import { SimulatedFileSystem } from '../support/simulated-file-system.ts';

const PARTITIONS = 3;

type Command =
  | { kind: 'append'; parts: { partition: number; sizes: number[] }[] }
  | { kind: 'appendMany'; count: number }
  | { kind: 'read'; partition: number; from: number; maxBytes: number }
  | { kind: 'seek'; partition: number; back: number }
  | { kind: 'measure'; partition: number; maxBytes: number }
  | { kind: 'trim'; partition: number; share: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'replaceStream' }
  | { kind: 'fullDisk'; room: number }
  | { kind: 'failSync' }
  | { kind: 'reopen' }
  | { kind: 'crash'; during: boolean; turns: number };

const partition = fc.nat(PARTITIONS - 1);
const sizes = fc.array(fc.nat(700), { minLength: 1, maxLength: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      parts: fc.array(fc.record({ partition, sizes }), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('appendMany' as const), count: fc.integer({ min: 2, max: 12 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      partition,
      from: fc.nat(100),
      maxBytes: fc.integer({ min: 1, max: 4000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('seek' as const), partition, back: fc.nat(5000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('measure' as const),
      partition,
      maxBytes: fc.integer({ min: 1, max: 6000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), partition, share: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'replaceStream' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fullDisk' as const), room: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'failSync' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), during: fc.boolean(), turns: fc.nat(4) }) },
);

interface ModelRecord extends PlainRecord {
  readonly time: number;
}

class World {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly disk: SimulatedFileSystem;
  readonly reports: string[] = [];
  readonly deleted: number[] = [];
  stream = 1;
  log!: RecordLog;
  /** Per partition: every acknowledged record by number, and what was trimmed. */
  records: ModelRecord[][] = [];
  trimmed: number[] = [];
  #serial = 0;
  #refused = false;

  constructor(seed: number) {
    this.disk = new SimulatedFileSystem(seededFraction(seed));
    this.#resetModel();
  }

  #resetModel(): void {
    this.records = Array.from({ length: PARTITIONS }, () => []);
    this.trimmed = Array.from({ length: PARTITIONS }, () => 0);
  }

  refs(): { stream: number; partition: number }[] {
    return this.records.map((_, partition) => ({ stream: this.stream, partition }));
  }

  async open(): Promise<void> {
    this.#refused = false;
    this.log = await openLocalLog({
      directory: 'log',
      fileSystem: this.disk.mount(),
      clock: this.clock,
      partitions: this.refs(),
      deletedStreams: this.deleted,
      segmentBytes: 6000,
      maxPendingBytes: 1_000_000,
      report: (level, message) => {
        if (level === 'error') this.reports.push(message);
      },
    });
  }

  makeBatches(
    parts: readonly { partition: number; sizes: readonly number[] }[],
  ): { partition: number; records: PlainRecord[] }[] {
    return parts.map(({ partition, sizes }) => ({
      partition,
      records: sizes.map((size) => {
        const serial = (this.#serial += 1);
        return { data: `${serial}:`.padEnd(size, '.'), ...(serial % 3 === 0 ? { key: `k${serial}` } : {}) };
      }),
    }));
  }

  send(batches: readonly { partition: number; records: PlainRecord[] }[]): Promise<AppendOutcome[]> {
    return this.log.append(
      batches.map(({ partition, records }) => batchOf({ stream: this.stream, partition }, records)),
    );
  }

  /** Takes what was acknowledged into the model. */
  learn(batches: readonly { partition: number; records: PlainRecord[] }[], outcomes: readonly AppendOutcome[]): void {
    outcomes.forEach((outcome, index) => {
      const { partition, records } = batches[index]!;
      if ('error' in outcome) {
        assert.ok(
          isDomainError(outcome.error, 'DiskFull') || isDomainError(outcome.error, 'LogReadOnly'),
          outcome.error.message,
        );
        return;
      }
      assert.ok(!this.#refused, 'a log that failed takes nothing more');
      assert.equal(outcome.firstSequence, this.records[partition]!.length, 'numbers without gaps');
      for (const record of records) this.records[partition]!.push({ ...record, time: outcome.time });
    });
  }

  async readAll(partition: number): Promise<ReturnType<typeof recordsOf>> {
    const ref = { stream: this.stream, partition };
    const found: ReturnType<typeof recordsOf> = [];
    const { first, next } = await this.log.bounds(ref);
    for (let at = first; at < next;) {
      const blocks = await this.log.read(ref, at, 1500, { maxRecords: 4, allocate: (size) => Buffer.alloc(size + 7) });
      assert.equal(await this.log.arrivalTime(ref, at), blocks[0]!.time);
      const records = recordsOf(blocks);
      assert.ok(records.length > 0, 'a read below next returns something');
      found.push(...records);
      at = found.at(-1)!.sequence + 1;
    }
    return found;
  }

  /** Compares everything; after a crash the batches that were on their way may have made it. */
  async verify(inFlight: readonly { partition: number; records: PlainRecord[] }[][] = []): Promise<void> {
    for (const { partition } of this.refs()) {
      const model = this.records[partition]!;
      const { first, next } = await this.log.bounds({ stream: this.stream, partition });
      assert.ok(next >= model.length, `partition ${partition}: acknowledged up to ${model.length}, found ${next}`);
      assert.ok(
        first <= Math.max(this.trimmed[partition]!, 0) || first === next,
        `first ${first} trimmed ${this.trimmed[partition]}`,
      );
      const found = await this.readAll(partition);
      const extra = inFlight
        .flat()
        .filter((batch) => batch.partition === partition)
        .flatMap(({ records }) => records);
      found.forEach((record, index) => {
        assert.equal(record.sequence, first + index);
        const expected = model[record.sequence];
        if (expected === undefined) {
          const sent = extra[record.sequence - model.length];
          assert.equal(record.data, sent?.data, 'an unacknowledged record is one that was sent, in its order');
        } else
          assert.deepEqual(
            { data: record.data, key: record.key, time: record.time },
            { data: expected.data, key: expected.key, time: expected.time },
          );
      });
      for (const record of found.slice(model.length - first)) model.push(record);
    }
  }

  async run(command: Command): Promise<void> {
    switch (command.kind) {
      case 'append': {
        const batches = this.makeBatches(command.parts);
        this.learn(batches, await this.send(batches));
        break;
      }
      case 'appendMany': {
        const all = Array.from({ length: command.count }, (_, index) =>
          this.makeBatches([{ partition: index % PARTITIONS, sizes: [40, 300] }]),
        );
        const outcomes = await Promise.all(all.map((batches) => this.send(batches)));
        all.forEach((batches, index) => this.learn(batches, outcomes[index]!));
        break;
      }
      case 'read': {
        const ref = { stream: this.stream, partition: command.partition };
        const model = this.records[command.partition]!;
        const { first, next } = await this.log.bounds(ref);
        if (command.from < first) {
          await assert.rejects(this.log.read(ref, command.from, 100), (error) =>
            isDomainError(error, 'SequenceNumberOutOfRange'),
          );
          break;
        }
        const found = recordsOf(await this.log.read(ref, command.from, command.maxBytes));
        assert.equal(found.length > 0, command.from < next);
        found.forEach((record, index) => {
          assert.equal(record.sequence, command.from + index);
          assert.equal(record.data, model[record.sequence]!.data);
        });
        break;
      }
      case 'seek': {
        const ref = { stream: this.stream, partition: command.partition };
        const time = this.clock.now() - command.back;
        const { first, next } = await this.log.bounds(ref);
        const index = this.records[command.partition]!.findIndex((record) => record.time >= time);
        assert.equal(await this.log.seek(ref, time), index < 0 ? next : Math.max(first, index));
        break;
      }
      case 'measure': {
        const ref = { stream: this.stream, partition: command.partition };
        const { first, next } = await this.log.bounds(ref);
        const { to, bytes } = await this.log.measure(ref, first, command.maxBytes);
        assert.ok(to > first || first === next);
        assert.ok(to === next || bytes >= command.maxBytes, 'whole unless full');
        const blocks = first === next ? [] : await this.log.read(ref, first, 1_000_000);
        const exact = blocks
          .filter((block) => block.firstSequence < to)
          .reduce((sum, block) => sum + block.frames.length, 0);
        if (this.trimmed[command.partition] === 0) assert.equal(bytes, exact);
        break;
      }
      case 'trim': {
        const length = this.records[command.partition]!.length;
        const before = Math.floor((length * command.share) / 100);
        this.trimmed[command.partition] = Math.max(this.trimmed[command.partition]!, before);
        await this.log.trim({ stream: this.stream, partition: command.partition }, before);
        assert.equal(
          (await this.log.bounds({ stream: this.stream, partition: command.partition })).first,
          this.trimmed[command.partition],
        );
        break;
      }
      case 'wait':
        this.clock.advance(command.ms);
        break;
      case 'replaceStream':
        // As the catalog does: the deletion is known before the log forgets, the new stream before the log is told.
        this.deleted.push(this.stream);
        this.stream += 1;
        this.#resetModel();
        await this.log.deleteStream(this.stream - 1);
        await this.log.addPartitions(this.refs());
        break;
      case 'fullDisk': {
        this.disk.capacity = this.disk.bytesUsed + command.room;
        const batches = this.makeBatches([{ partition: 0, sizes: [600, 600, 600, 600] }]);
        this.learn(batches, await this.send(batches));
        this.disk.capacity = Infinity;
        const again = this.makeBatches([{ partition: 1, sizes: [10] }]);
        const outcomes = await this.send(again);
        this.learn(again, outcomes);
        if (this.log.failure === undefined)
          assert.ok(!('error' in outcomes[0]!), 'space is back, puts are taken again');
        break;
      }
      case 'failSync': {
        this.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined);
        const batches = this.makeBatches([{ partition: 0, sizes: [100] }]);
        const [outcome] = await this.send(batches);
        assert.ok(outcome !== undefined && 'error' in outcome && isDomainError(outcome.error, 'LogReadOnly'));
        this.disk.fault = () => undefined;
        this.#refused = true;
        await this.verify();
        await this.restart(false, [batches]);
        break;
      }
      case 'reopen':
        await this.restart(false, []);
        break;
      case 'crash': {
        const batches = this.makeBatches([
          { partition: 0, sizes: [300, 2000] },
          { partition: 1, sizes: [50] },
        ]);
        const more = this.makeBatches([{ partition: 0, sizes: [700] }]);
        if (!command.during) {
          await this.restart(true, []);
          break;
        }
        // The power goes while these are on their way.
        for (const unanswered of [batches, more]) this.send(unanswered).catch(assert.fail);
        for (let turn = 0; turn < command.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await this.restart(true, [batches, more]);
        break;
      }
    }
  }

  async restart(powerLoss: boolean, inFlight: { partition: number; records: PlainRecord[] }[][]): Promise<void> {
    if (powerLoss) this.disk.crash();
    else await this.log.close();
    await this.open();
    // As retention does at every start: the log may have forgotten trims, above all when it had no space to keep them.
    for (const [partition, ref] of this.refs().entries()) await this.log.trim(ref, this.trimmed[partition]!);
    await this.verify(inFlight);
  }
}

test('any history of a log agrees with its model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(command, { minLength: 5, maxLength: 60 }), async (seed, commands) => {
      const world = new World(seed);
      await world.open();
      for (const command of commands) await world.run(command);
      await world.restart(true, []);
      await world.log.close();
      assert.deepEqual(
        world.reports.filter((report) => /damaged|unreadable|second time/.test(report)),
        [],
        'a healthy disk is never called damaged',
      );
    }),
    { numRuns: Number(process.env['SLUICE_TEST_RUNS'] ?? 300) },
  );
});

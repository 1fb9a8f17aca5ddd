/**
 * Random histories of a dump engine: puts, time, crashes, failing and hanging stores, stops, starts, updates, deletes,
 * expiry, damage and new partitions in any order. After each step nothing may be wrong; after a quiet end everything must be through.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { auditDump } from '../../test/support/dump-audit.ts';
import { DumpRig } from '../../test/support/dump-rig.ts';
import type { Fault } from '../../test/support/faulty-store.ts';
import { createTask } from './create-task.ts';
import { deleteTask } from './delete-task.ts';
import type { DumpDescriptor } from './settings.ts';
import { startTasks } from './start-tasks.ts';
import { stopTasks } from './stop-tasks.ts';
import { updateTask } from './update-task.ts';

const PARTITIONS = 2;
const MOST_PARTITIONS = 4;

type Step =
  | { readonly do: 'put'; readonly partition: number; readonly records: number }
  | { readonly do: 'advance'; readonly seconds: number }
  | { readonly do: 'run'; readonly turns: number; readonly seconds: number }
  | { readonly do: 'faults'; readonly faults: readonly Fault[] }
  | { readonly do: 'catalog'; readonly faults: readonly ('refuse' | 'lose answer')[] }
  | { readonly do: 'deletes'; readonly fail: boolean }
  | { readonly do: 'crash' | 'stop' | 'start' | 'delete' | 'grow' }
  | { readonly do: 'update'; readonly delimiter: string; readonly retry: number }
  | { readonly do: 'jump'; readonly seconds: number }
  | { readonly do: 'trim' | 'damage'; readonly partition: number; readonly records: number };

/** Modulo the number of partitions that there are by then. */
const partition = fc.nat({ max: MOST_PARTITIONS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), partition, records: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance'), seconds: fc.constantFrom(1, 9, 10, 35) }) },
  // Stops in the middle of whatever is going on.
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('run'),
      turns: fc.nat({ max: 25 }),
      seconds: fc.constantFrom(0, 1, 10),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('faults'),
      faults: fc.array(fc.constantFrom<Fault>('before', 'midway', 'after', 'after', 'hang'), { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('catalog'),
      faults: fc.array(fc.constantFrom('refuse', 'lose answer'), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deletes'), fail: fc.boolean() }) },
  { weight: 5, arbitrary: fc.constant<Step>({ do: 'crash' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'stop' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'start' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'delete' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'grow' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('update'),
      delimiter: fc.constantFrom('\n', ';', 'NULL'),
      retry: fc.constantFrom(0, 5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('jump'), seconds: fc.constantFrom(-3600, -5, 3600) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('trim', 'damage'),
      partition,
      records: fc.integer({ min: 1, max: 6 }),
    }),
  },
);

class History {
  readonly rig: DumpRig;
  readonly put: string[][] = Array.from({ length: PARTITIONS }, () => []);
  #taskId = '';
  #tasks = 0;

  constructor(rig: DumpRig) {
    this.rig = rig;
  }

  get #descriptor(): DumpDescriptor {
    return {
      task_name: `task-${this.#tasks}`,
      obs_bucket_path: 'bucket',
      deliver_time_interval: 10,
      consumer_strategy: 'TRIM_HORIZON',
    };
  }

  async create(): Promise<void> {
    this.#tasks += 1;
    this.#taskId = await createTask(this.rig.services, this.rig.stream, this.#descriptor);
  }

  async take(next: Step): Promise<void> {
    const { rig } = this;
    switch (next.do) {
      case 'put': {
        const { number, records } = this.#partition(next);
        const texts = Array.from({ length: next.records }, (_, index) => `${number}:${records.length + index}`);
        records.push(...texts);
        return rig.put(number, ...texts);
      }
      case 'advance':
        return rig.advance(next.seconds * 1000);
      case 'run':
        rig.clock.advance(next.seconds * 1000);
        for (let turn = 0; turn < next.turns; turn += 1) await new Promise(setImmediate);
        return;
      case 'faults':
        rig.store.faults.push(...next.faults);
        return;
      case 'catalog':
        // What a use case does is its caller's to repeat; the engine has to cope by itself.
        rig.catalogFaults.push(...next.faults);
        await rig.advance(3000);
        rig.catalogFaults.length = 0;
        return;
      case 'deletes':
        rig.store.failDeletes = next.fail;
        return;
      case 'crash':
        return rig.crash();
      case 'stop':
        return stopTasks(rig.services, rig.stream, [this.#taskId]);
      case 'start':
        return startTasks(rig.services, rig.stream, [this.#taskId]);
      case 'delete':
        // A second task begins at 0 like the first one only while nothing has expired.
        if (rig.stream.partitions.some(({ ref }) => rig.log.bounds(ref).first > 0)) return;
        await deleteTask(rig.services, rig.stream, `task-${this.#tasks}`);
        return this.create();
      case 'update': {
        const { delimiter, retry } = next;
        const changed = { ...this.#descriptor, record_delimiter: delimiter, retry_duration: retry };
        return updateTask(rig.services, rig.stream, changed);
      }
      case 'jump':
        rig.clock.jump(next.seconds * 1000);
        return;
      case 'grow':
        if (this.put.length === MOST_PARTITIONS) return;
        this.put.push([]);
        return rig.scale(this.put.length);
      case 'trim': {
        const { number, ref } = this.#partition(next);
        return rig.log.trim(ref, (await this.#position(number)) + next.records);
      }
      case 'damage': {
        const { number, ref } = this.#partition(next);
        const from = (await this.#position(number)) + (next.records % 3);
        rig.log.damage(ref, from, from + next.records);
        return;
      }
    }
  }

  /** The trouble is over: everything that can be delivered is. */
  async quieten(): Promise<void> {
    const { rig } = this;
    rig.store.faults.length = 0;
    rig.store.failDeletes = false;
    await rig.crash();
    await startTasks(rig.services, rig.stream, [this.#taskId]);
    await rig.settle();
    // The clock may have been set back by an hour several times: once more than the longest wait.
    await rig.advance(40_000);
  }

  /** How far the task has got: what lies there is what may be on its way. */
  async #position(index: number): Promise<number> {
    const positions = await this.rig.positions();
    // A new partition that the engine has not looked at yet is taken from its first record.
    return positions.find((row) => row.task_id === this.#taskId && row.partition === index)?.position ?? 0;
  }

  #partition({ partition }: { readonly partition: number }) {
    const number = partition % this.put.length;
    return { number, ref: { stream: this.rig.stream.number, partition: number }, records: this.put[number]! };
  }
}

test('whatever happens, each record is in exactly one committed file or one given-up range', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.nat(),
      fc.integer({ min: 1, max: 2 }),
      async (steps, seed, uploads) => {
        const config = { uploads, maxFileBytes: 120 };
        await using rig = await DumpRig.open({ partitions: PARTITIONS, seed, config });
        const history = new History(rig);
        await history.create();
        for (const next of steps) await history.take(next);
        await rig.settle();
        await auditDump(rig, { put: history.put, complete: false });
        await history.quieten();
        await auditDump(rig, { put: history.put, complete: true });
        const { state } = await rig.catalog.db
          .selectFrom('dump_tasks')
          .select('state')
          .where('deleted_at', 'is', null)
          .executeTakeFirstOrThrow();
        assert.equal(state, 'RUNNING');
      },
    ),
    { numRuns: 40 },
  );
});

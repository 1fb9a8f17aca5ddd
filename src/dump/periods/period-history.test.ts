/**
 * Random histories of tasks that merge and tell: puts with times of their own, late ones among them, crashes at any moment,
 * failing and hanging stores, a catalog that loses its answers, stops, starts, updates, deletes, new partitions. After each
 * history nothing may be wrong; after a quiet end everything is merged and told.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import fc from 'fast-check';
import { DumpRig, LIMITS } from '../../../test/support/dump-rig.ts';
import type { Fault } from '../../../test/support/faulty-store.ts';
import { auditPeriods, type PutRecord } from '../../../test/support/period-audit.ts';
import { testRounds } from '../../../test/support/seed.ts';
import { CONVERSION_LIMITS } from '../convert/conversion.ts';
import { ConverterPool } from '../convert/converter-pool.ts';
import { createTask } from '../tasks/create-task.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import { startTasks } from '../tasks/start-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { updateTask } from '../tasks/update-task.ts';

const MOST_PARTITIONS = 3;
const LATENESS_SECONDS = 15;
const converters = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: LIMITS.paths_per_cut } });
after(() => converters.close());

type Step =
  | { readonly do: 'put'; readonly partition: number; readonly records: number; readonly late: number }
  | { readonly do: 'advance'; readonly seconds: number }
  | { readonly do: 'run'; readonly turns: number; readonly seconds: number }
  | { readonly do: 'faults'; readonly faults: readonly Fault[] }
  | { readonly do: 'catalog'; readonly faults: readonly ('refuse' | 'lose answer')[] }
  | { readonly do: 'deletes'; readonly fail: boolean }
  | { readonly do: 'update'; readonly merge: boolean; readonly manifest: boolean; readonly gzip: boolean }
  | { readonly do: 'crash' | 'stop' | 'start' | 'delete' | 'grow' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put'),
      partition: fc.nat({ max: MOST_PARTITIONS - 1 }),
      records: fc.integer({ min: 1, max: 3 }),
      late: fc.constantFrom(0, 0, 0, 20, 70, 130),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('advance'), seconds: fc.constantFrom(5, 10, 30, 70) }) },
  // Stops in the middle of whatever is going on.
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('run'),
      turns: fc.nat({ max: 40 }),
      seconds: fc.constantFrom(0, 5, 10, 60),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('faults'),
      faults: fc.array(fc.constantFrom<Fault>('none', 'before', 'midway', 'after', 'hang'), { maxLength: 4 }),
    }),
  },
  {
    weight: 3,
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
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('update'),
      merge: fc.boolean(),
      manifest: fc.boolean(),
      gzip: fc.boolean(),
    }),
  },
);

class History {
  readonly rig: DumpRig;
  readonly put: PutRecord[][] = [[], []];
  readonly #byRecord: boolean;
  #taskId = '';
  #tasks = 0;

  /** `byRecord`: whether directories are those of the records' own time. */
  constructor(rig: DumpRig, byRecord: boolean) {
    this.rig = rig;
    this.#byRecord = byRecord;
  }

  get latenessMs(): number | undefined {
    return this.#byRecord ? LATENESS_SECONDS * 1000 : undefined;
  }

  #descriptor({ merge = true, manifest = true, gzip = false } = {}): DumpDescriptor {
    return {
      task_name: `task-${this.#tasks}`,
      obs_bucket_path: 'bucket',
      file_prefix: 'files',
      partition_format: 'yyyy/MM/dd/HH/mm',
      deliver_time_interval: 10,
      consumer_strategy: 'TRIM_HORIZON',
      compression_format: gzip ? 'gzip' : 'none',
      merge_size: merge ? 1 : null,
      manifest,
      lateness_interval: this.#byRecord && (merge || manifest) ? LATENESS_SECONDS : 0,
      processing_schema: this.#byRecord ? { timestamp_name: 't', timestamp_type: 'Timestamp' } : null,
    };
  }

  async create(): Promise<void> {
    this.#tasks += 1;
    this.#taskId = await createTask(this.rig.services, this.rig.stream, this.#descriptor());
  }

  async take(next: Step): Promise<void> {
    const { rig } = this;
    switch (next.do) {
      case 'put': {
        const number = next.partition % this.put.length;
        const records = this.put[number]!;
        const at = rig.clock.now();
        const added = Array.from({ length: next.records }, (_, index) => {
          const id = `${number}:${records.length + index}`;
          // One that says no time becomes a dead letter.
          return JSON.stringify((records.length + index) % 7 === 6 ? { id } : { id, t: at - next.late * 1000 - index });
        });
        records.push(...added.map((data) => ({ data, at })));
        return rig.put(number, ...added);
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
        rig.catalogFaults.push(...next.faults);
        await rig.advance(11_000);
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
        await deleteTask(rig.services, rig.stream, `task-${this.#tasks}`);
        return this.create();
      case 'update':
        return updateTask(rig.services, rig.stream, this.#descriptor(next));
      case 'grow':
        if (this.put.length === MOST_PARTITIONS) return;
        this.put.push([]);
        return rig.scale(this.put.length);
    }
  }

  /** The trouble is over: everything that can be delivered, merged and told is. */
  async quieten(): Promise<void> {
    const { rig } = this;
    rig.store.faults.length = 0;
    rig.store.failDeletes = false;
    await rig.crash();
    await startTasks(rig.services, rig.stream, [this.#taskId]);
    await rig.settle();
    await rig.advance(150_000);
  }
}

for (const byRecord of [false, true]) {
  test(`directories by ${byRecord ? "the records' own time" : 'the time of the plan'}: whatever happens, each record counts once, and what is complete is told`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.nat(), async (steps, seed) => {
        await using rig = await DumpRig.open({ partitions: 2, seed, dataType: 'JSON', converters });
        const history = new History(rig, byRecord);
        await history.create();
        const { put } = history;
        // A shorter wait than asked for is what an update in between may have brought.
        const latenessMs =
          history.latenessMs === undefined ? undefined : steps.some(asksForNeither) ? 0 : history.latenessMs;
        for (const next of steps) await history.take(next);
        await rig.settle();
        await auditPeriods(rig, { put, complete: false, latenessMs });
        await history.quieten();
        await auditPeriods(rig, { put, complete: true, latenessMs });
        const states = await rig.catalog.db
          .selectFrom('dump_tasks')
          .select('state')
          .where('deleted_at', 'is', null)
          .execute();
        assert.equal(states.length, 1);
      }),
      { numRuns: testRounds('SLUICE_TEST_RUNS', 10) },
    );
  });
}

function asksForNeither(step: Step): boolean {
  return step.do === 'update' && !step.merge && !step.manifest;
}

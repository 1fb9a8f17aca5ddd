/**
 * Random histories of a dump engine: puts, time, crashes, failing and hanging stores, stops of both kinds, starts, edits
 * of every kind, deletes, expiry, damage and new partitions in any order. After each step nothing may be wrong; after a
 * quiet end everything must be through.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import fc from 'fast-check';
import { auditDump } from '../../test/support/dump-audit.ts';
import { DumpRig } from '../../test/support/dump-rig.ts';
import type { Fault } from '../../test/support/faulty-store.ts';
import { CONVERSION_LIMITS } from './convert/conversion.ts';
import { ConverterPool } from './convert/converter-pool.ts';
import { createTask } from './tasks/create-task.ts';
import { deleteTask } from './tasks/delete-task.ts';
import type { DumpDescriptor } from './settings/settings.ts';
import { startTasks } from './tasks/start-tasks.ts';
import { stopTasks } from './tasks/stop-tasks.ts';
import { updateTask } from './tasks/update-task.ts';

const PARTITIONS = 2;
const MOST_PARTITIONS = 4;

type Step =
  | { readonly do: 'put'; readonly partition: number; readonly records: number }
  | { readonly do: 'advance'; readonly seconds: number }
  | { readonly do: 'run'; readonly turns: number; readonly seconds: number }
  | { readonly do: 'faults'; readonly faults: readonly Fault[] }
  | { readonly do: 'catalog'; readonly faults: readonly ('refuse' | 'lose answer')[] }
  | { readonly do: 'deletes'; readonly fail: boolean }
  | { readonly do: 'crash' | 'stop' | 'drain' | 'start' | 'delete' | 'grow' }
  | { readonly do: 'update'; readonly form: Partial<DumpDescriptor>; readonly rules: Partial<DumpDescriptor> }
  | { readonly do: 'jump'; readonly seconds: number }
  | { readonly do: 'trim' | 'damage'; readonly partition: number; readonly records: number };

/** What files look like. Of two records in eight no path can be made. */
const FORMS: readonly Partial<DumpDescriptor>[] = [
  { record_delimiter: ';' },
  { record_delimiter: 'NULL', file_prefix: 'other/place', compression_format: 'gzip' },
  { path_template: 'c={$.c}' },
  { path_template: 'c={$.c}', file_prefix: 'other', compression_format: 'zstd' },
  { path_template: 'by/{$.c}', destination_file_type: 'parquet' },
];
/** When they are cut and what becomes of trouble. */
const RULES: readonly Partial<DumpDescriptor>[] = [
  {},
  { retry_duration: 5 },
  { deliver_idle_interval: 3, hold_retention: true },
];

function recordOf(partition: number, index: number): string {
  const n = `${partition}:${index}`;
  if (index % 8 === 3) return `!${n}`;
  return JSON.stringify({ n, c: index % 8 === 6 ? [1] : 'xyz'[index % 3] });
}

/** The templates are those of FORMS. */
function pathOf(template: string, record: string): string | undefined {
  const value = record.startsWith('{') ? (JSON.parse(record) as { c: unknown }).c : undefined;
  return typeof value === 'string' ? template.replace('{$.c}', value) : undefined;
}

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
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'stop' }, { do: 'drain' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'start' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'delete' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'grow' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('update'),
      form: fc.constantFrom(...FORMS),
      rules: fc.constantFrom(...RULES),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('jump'), seconds: fc.constantFrom(-3600, -5, 3600, 70_000) }) },
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
        const texts = Array.from({ length: next.records }, (_, index) => recordOf(number, records.length + index));
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
      case 'drain':
        return stopTasks(rig.services, rig.stream, [this.#taskId], 'finish_planned');
      case 'start':
        return startTasks(rig.services, rig.stream, [this.#taskId]);
      case 'delete':
        // A second task begins at 0 like the first one only while nothing has expired.
        for (const { ref } of rig.stream.partitions) if ((await rig.log.bounds(ref)).first > 0) return;
        await deleteTask(rig.services, rig.stream, `task-${this.#tasks}`);
        return this.create();
      case 'update':
        return updateTask(rig.services, rig.stream, { ...this.#descriptor, ...next.form, ...next.rules });
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

// One thread for all runs: starting it takes longer than a run.
const converters = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 2 } });
after(() => converters.close());

test('whatever happens, each record is in exactly one committed file, dead letter or given-up range', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.nat(),
      fc.integer({ min: 1, max: 2 }),
      async (steps, seed, uploads) => {
        const config = { uploads, maxFileBytes: 120 };
        await using rig = await DumpRig.open({ partitions: PARTITIONS, seed, config, dataType: 'JSON', converters });
        const history = new History(rig);
        await history.create();
        for (const next of steps) await history.take(next);
        await rig.settle();
        await auditDump(rig, { put: history.put, complete: false, pathOf });
        await history.quieten();
        await auditDump(rig, { put: history.put, complete: true, pathOf });
        const { state } = await rig.catalog.db
          .selectFrom('dump_tasks')
          .select('state')
          .where('deleted_at', 'is', null)
          .executeTakeFirstOrThrow();
        const allDead = (await rig.positions()).some(({ all_dead }) => all_dead === 1);
        assert.ok(state === 'RUNNING' || (state === 'ERROR' && allDead), state);
      },
    ),
    { numRuns: 40 },
  );
});

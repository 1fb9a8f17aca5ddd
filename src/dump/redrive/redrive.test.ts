/** Redrives: what they take, what becomes of it, and that nothing is delivered twice whatever happens meanwhile. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { after } from 'node:test';
import fc from 'fast-check';
import type { Kysely, Transaction } from 'kysely';
import { DumpRig, withRig as withPlainRig, type RigOptions } from '../../../test/support/dump-rig.ts';
import type { Fault } from '../../../test/support/faulty-store.ts';
import type { Database } from '../../catalog/schema.ts';
import { CONVERSION_LIMITS } from '../convert/conversion.ts';
import { ConverterPool } from '../convert/converter-pool.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import { startTasks } from '../tasks/start-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { updateTask } from '../tasks/update-task.ts';
import { planRedrives } from './plan-redrives.ts';
import { showRedrive } from './show-redrive.ts';

// One thread for all tests: starting it takes longer than a test.
const converters = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 2 } });
after(() => converters.close());

const JSON_STREAM = { dataType: 'JSON', converters } as const;
const withRig = (run: (rig: DumpRig) => Promise<void>, options: RigOptions = {}) =>
  withPlainRig(run, { ...JSON_STREAM, ...options });

const BY_COLOUR = { path_template: 'colour={$.colour}', deliver_time_interval: 10 };
const BY_SIZE = { path_template: 'size={$.size}', deliver_time_interval: 10 };
const PLAIN = { deliver_time_interval: 10 };

// A list names no directory.
const red = (n: number) => JSON.stringify({ n, colour: 'red', size: [] });
const big = (n: number) => JSON.stringify({ n, colour: [], size: 'big' });
const broken = (n: number) => `!${n}`;

const redrive = async (rig: DumpRig) => {
  const planned = await planRedrives(rig.services, rig.stream, 'archive');
  await rig.settle();
  return planned;
};
const update = (rig: DumpRig, form: Partial<DumpDescriptor>) =>
  updateTask(rig.services, rig.stream, { task_name: 'archive', obs_bucket_path: 'bucket', ...form });

/** A task whose cuts leave dead letters, and one cut of it. */
async function withDeadLetters(rig: DumpRig, ...records: readonly string[]): Promise<string> {
  const id = await rig.create(BY_COLOUR);
  await rig.put(0, ...records);
  await rig.advance(10_000);
  return id;
}

const committed = async (rig: DumpRig, kind: string) =>
  (await rig.rows()).filter((row) => row.kind === kind && row.state === 0);

test(
  'mended settings take the letters; what still fails is a dead letter again, and can be redriven again',
  withRig(async (rig) => {
    await withDeadLetters(rig, red(0), big(1), broken(2), big(3));
    const [source] = await committed(rig, 'delivery');
    assert.equal(source!.dead_letters, 3);
    assert.equal((await rig.positions())[0]!.discarded, 3);
    const now = rig.clock.now();

    assert.deepEqual(await showRedrive(rig.services, rig.stream, 'archive'), {
      open: { rows: 0, records: 0 },
      failure: undefined,
      dead: { rows: 1, records: 3, last: source!.id },
    });
    await update(rig, BY_SIZE);
    assert.deepEqual(await redrive(rig), { cuts: 1, records: 3 });

    const [row] = await committed(rig, 'redrive');
    assert.deepEqual(
      [row!.source_id, row!.task_version, row!.first_sequence, row!.next_sequence],
      [source!.id, 2, 0, 4],
    );
    assert.deepEqual(
      [row!.read_records, row!.records, row!.dead_letters, row!.first_record, row!.last_record],
      [3, 2, 1, 1, 3],
    );
    assert.equal(await rig.object('bucket', row!.object_key), `${big(1)}\n${big(3)}\n`);
    assert.match(row!.object_key, new RegExp(`^size=big/\\w{19}\\.orders\\.0\\.${now + 1}$`));
    assert.equal((await rig.rows()).find(({ id }) => id === source!.id)!.redriven_by, row!.id);
    assert.equal((await rig.positions())[0]!.discarded, 1);
    assert.ok((await rig.keys('bucket')).includes(source!.dead_letter_key!), 'the letters stay where they were');

    await update(rig, PLAIN);
    assert.deepEqual(await redrive(rig), { cuts: 1, records: 1 });
    const rows = await committed(rig, 'redrive');
    assert.equal(rows[1]!.source_id, row!.id);
    assert.equal(await rig.object('bucket', rows[1]!.object_key), '!2\n');
    assert.equal((await rig.positions())[0]!.discarded, 0);
    assert.deepEqual(await redrive(rig), { cuts: 0, records: 0 });
  }),
);

test(
  'names go on increasing: neither a redrive nor the next file has one that there was',
  withRig(async (rig) => {
    await withDeadLetters(rig, broken(0));
    rig.clock.jump(-3_600_000);
    await update(rig, PLAIN);
    await redrive(rig);
    await rig.put(0, red(1));
    await rig.advance(10_000);
    const times = (await rig.rows()).map(({ created_at }) => created_at);
    assert.deepEqual(times, [times[0], times[0]! + 1, times[0]! + 2]);
    await rig.crash();
    await rig.put(0, red(2));
    await rig.advance(10_000);
    assert.equal((await rig.rows()).at(-1)!.created_at, times[0]! + 3);
  }),
);

test(
  'called twice at once it takes nothing twice',
  withRig(async (rig) => {
    await withDeadLetters(rig, broken(0), red(1));
    await rig.put(0, broken(2));
    await rig.advance(10_000);
    await update(rig, PLAIN);
    const planned = await Promise.all([redrive(rig), redrive(rig)]);
    assert.deepEqual(planned.map(({ cuts }) => cuts).sort(), [0, 2]);
    assert.equal((await committed(rig, 'redrive')).length, 2);
    await assert.rejects(planRedrives(rig.services, rig.stream, 'nothing'), { kind: 'TaskNotFound' });
  }),
);

test(
  'a task whose every record failed is no longer in ERROR when a redrive has delivered',
  withRig(async (rig) => {
    const id = await withDeadLetters(rig, broken(0));
    assert.equal(await rig.taskState(id), 'ERROR');
    await redrive(rig);
    assert.equal(await rig.taskState(id), 'ERROR', 'what fails again changes nothing');
    assert.deepEqual([(await rig.positions())[0]!.discarded, (await rig.positions())[0]!.all_dead], [1, 1]);
    await update(rig, PLAIN);
    await redrive(rig);
    assert.equal(await rig.taskState(id), 'RUNNING');
    assert.deepEqual([(await rig.positions())[0]!.discarded, (await rig.positions())[0]!.all_dead], [0, 0]);
    await rig.crash();
    assert.equal(await rig.taskState(id), 'RUNNING');
  }),
);

test(
  'letters of more paths than a cut may have are redriven as a whole',
  withRig(async (rig) => {
    const records = Array.from({ length: 9 }, (_, n) => JSON.stringify({ n, colour: [], size: `${n}` }));
    await withDeadLetters(rig, ...records);
    await update(rig, BY_SIZE);
    await redrive(rig);
    const rows = await committed(rig, 'redrive');
    assert.deepEqual(
      rows.map(({ path, records: count, source_id, plan_id }) => [path, count, source_id, plan_id ?? rows[0]!.id]),
      records.map((_, n) => [`size=${n}`, 1, rows[0]!.source_id, rows[0]!.id]),
    );
    const task = await rig.catalog.db.selectFrom('dump_tasks').select('log_rows').executeTakeFirstOrThrow();
    assert.equal(task.log_rows, (await rig.rows()).length);
  }),
);

test(
  'an object that is missing or altered fails with its cause, again and again, until it is back',
  withRig(async (rig) => {
    await withDeadLetters(rig, broken(0), broken(1));
    const key = (await committed(rig, 'delivery'))[0]!.dead_letter_key!;
    const whole = await rig.object('bucket', key);
    const put = (text: string) =>
      rig.store.put('bucket', key, bytes(text), { contentType: 'application/octet-stream' });
    await update(rig, PLAIN);
    const causes = async () =>
      (await rig.rows()).filter(({ kind, state }) => kind === 'redrive' && state === 1).map(({ cause }) => cause ?? '');

    await rig.store.delete('bucket', key);
    await redrive(rig);
    assert.equal((await causes()).length, 1);
    assert.match((await causes())[0]!, new RegExp(key.replaceAll('.', '\\.')));
    const altered: [string, RegExp][] = [
      [
        whole.replace('!0', '!7'),
        /were altered: its checksum is sha256:[0-9a-f]{64}, they were 2 letters of \d+ bytes/,
      ],
      [whole.slice(0, -1), /were altered: it has \d+ bytes/],
      [`${whole}\n`, /were altered: it has more than \d+ bytes/],
    ];
    for (const [text, cause] of altered) {
      await put(text);
      const before = (await causes()).length;
      await rig.advance(30_000);
      assert.ok((await causes()).length > before);
      assert.match((await causes()).at(-1)!, cause);
    }
    assert.equal((await showRedrive(rig.services, rig.stream, 'archive')).failure?.cause, (await causes()).at(-1));
    assert.deepEqual(await redrive(rig), { cuts: 0, records: 0 }, 'it is taken, not free');
    // It does not hold up the others.
    await update(rig, BY_COLOUR);
    await rig.put(0, big(2));
    await rig.advance(10_000);
    await update(rig, PLAIN);
    assert.deepEqual(await redrive(rig), { cuts: 1, records: 1 });
    await rig.advance(1000);
    assert.deepEqual(
      (await committed(rig, 'redrive')).map(({ records }) => records),
      [1],
    );

    await put(whole);
    await rig.advance(30_000);
    const rows = await committed(rig, 'redrive');
    assert.deepEqual(rows.map(({ records }) => records).sort(), [1, 2]);
    const [mended] = rows.filter(({ records }) => records === 2);
    assert.ok(mended!.attempt > 4);
    assert.equal(mended!.cause, null);
    assert.equal(await rig.object('bucket', mended!.object_key), '!0\n!1\n');
  }),
);

test(
  'retry_duration ends it once nothing of it is left in the bucket: the letters can be redriven anew',
  withRig(async (rig) => {
    await withDeadLetters(rig, broken(0));
    const keys = await rig.keys('bucket');
    await update(rig, { ...PLAIN, retry_duration: 5 });
    rig.store.always = 'after';
    await redrive(rig);
    await rig.advance(4000);
    assert.equal((await showRedrive(rig.services, rig.stream, 'archive')).open.rows, 1);
    rig.store.failDeletes = true;
    await rig.advance(6000);
    assert.equal((await showRedrive(rig.services, rig.stream, 'archive')).open.rows, 1);
    rig.store.failDeletes = false;
    await rig.advance(30_000);
    assert.deepEqual(await rig.keys('bucket'), keys);
    const [row] = (await rig.rows()).filter(({ kind }) => kind === 'redrive');
    assert.deepEqual([row!.state, row!.given_up], [1, 0]);
    assert.match(row!.cause!, /503/);
    rig.store.always = undefined;
    assert.deepEqual(await redrive(rig), { cuts: 1, records: 1 });
    assert.equal((await committed(rig, 'redrive')).length, 1);
    assert.equal((await rig.positions())[0]!.discarded, 0);
  }),
);

test(
  'a stopped task redrives nothing until it is started; an upload that runs is finished',
  withRig(async (rig) => {
    const id = await withDeadLetters(rig, broken(0), red(1));
    await rig.put(0, broken(2));
    await rig.advance(10_000);
    await update(rig, PLAIN);
    rig.store.faults.push('hold');
    await redrive(rig);
    await stopTasks(rig.services, rig.stream, [id]);
    rig.store.release();
    await rig.settle();
    assert.equal((await committed(rig, 'redrive')).length, 1);
    await rig.crash();
    await rig.advance(60_000);
    assert.equal((await committed(rig, 'redrive')).length, 1);
    assert.deepEqual(await redrive(rig), { cuts: 0, records: 0 });
    await startTasks(rig.services, rig.stream, [id]);
    await rig.settle();
    await rig.advance(1000);
    assert.equal((await committed(rig, 'redrive')).length, 2);
    assert.equal(await rig.taskState(id), 'RUNNING');
  }),
);

test(
  'with its task a redrive ends: the one that runs, those that wait, and what they have stored',
  withRig(async (rig) => {
    const id = await withDeadLetters(rig, broken(0));
    for (let n = 1; n < 3; n += 1) {
      await rig.put(0, broken(n));
      await rig.advance(10_000);
    }
    const keys = await rig.keys('bucket');
    await update(rig, PLAIN);
    // The first has stored its file and does not know, the second hangs, the third waits.
    rig.store.faults.push('after', 'hang');
    await redrive(rig);
    assert.equal((await rig.keys('bucket')).length, keys.length + 1);
    await deleteTask(rig.services, rig.stream, 'archive');
    await rig.settle();
    assert.deepEqual(await rig.keys('bucket'), keys);
    const ended = (await rig.rows()).filter(
      ({ kind, attempt, state }) => kind === 'redrive' && state === 1 && attempt > 0,
    );
    assert.equal(ended.filter(({ cause }) => cause === 'task deleted').length, 3);
    await rig.crash();
    await rig.advance(60_000);
    assert.deepEqual([await rig.taskState(id), await rig.keys('bucket')], ['DELETE', keys]);
  }),
);

for (const fault of ['none', 'hang', 'midway', 'after'] as const) {
  test(
    `a crash after ${fault === 'none' ? 'the plan' : `an upload with the fault ${fault}`}: it is done after the start`,
    withRig(async (rig) => {
      await withDeadLetters(rig, broken(0), red(1));
      await update(rig, PLAIN);
      rig.store.faults.push(fault);
      await planRedrives(rig.services, rig.stream, 'archive');
      if (fault !== 'none') await rig.settle();
      await rig.crash();
      await rig.advance(2000);
      const [row] = await committed(rig, 'redrive');
      assert.equal(await rig.object('bucket', row!.object_key), '!0\n');
      assert.equal((await rig.positions())[0]!.discarded, 0);
      assert.equal((await rig.keys('bucket')).length, 3);
    }),
  );
}

test(
  'it survives a crash wherever that comes, and an answer of the catalog that is lost',
  withRig(async (rig) => {
    await withDeadLetters(rig, broken(0), red(1), broken(2));
    await update(rig, PLAIN);
    const once = async () => {
      await rig.advance(60_000);
      const rows = await committed(rig, 'redrive');
      assert.deepEqual(
        rows.map(({ records, attempt }) => [records, attempt]),
        [[2, 1]],
      );
      assert.equal(await rig.object('bucket', rows[0]!.object_key), '!0\n!2\n');
      const [position] = await rig.positions();
      assert.equal(position!.discarded, 0);
      assert.equal(rig.engine.task(position!.task_id)!.pairs[0]!.discarded, 0, 'memory says the same');
      const keys = await rig.keys('bucket');
      assert.equal(keys.length, 3);
    };
    // The plan happens, but its answer is lost; the file is stored and its commit refused, then done though it seemed not to be.
    rig.catalogFaults.push('refuse', 'lose answer');
    const services = { ...rig.services, catalog: { ...rig.catalog, db: losingAnswers(rig.catalog.db) } };
    await assert.rejects(planRedrives(services, rig.stream, 'archive'), /no answer/);
    await rig.settle();
    await once();
    assert.deepEqual(rig.catalogFaults, []);
    await rig.crash();
    await once();
  }),
);

test('whatever happens, each record comes to be in exactly one file', async () => {
  const fault = fc.constantFrom<Fault>('none', 'before', 'midway', 'after', 'hang');
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('put' as const),
        partition: fc.nat({ max: 1 }),
        records: fc.integer({ min: 1, max: 6 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), seconds: fc.constantFrom(1, 10, 30) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('faults' as const), faults: fc.array(fault, { maxLength: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('catalog' as const),
        faults: fc.array(fc.constantFrom('refuse' as const, 'lose answer' as const), { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('update' as const), form: fc.constantFrom(BY_COLOUR, BY_SIZE) }),
    },
    // Stops in the middle of whatever is going on.
    { weight: 6, arbitrary: fc.record({ do: fc.constant('redrive' as const), turns: fc.nat({ max: 60 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'start' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 25 }), fc.nat(), async (steps, seed) => {
      await using rig = await DumpRig.open({ ...JSON_STREAM, partitions: 2, seed });
      const id = await rig.create({ ...BY_COLOUR, consumer_strategy: 'TRIM_HORIZON' });
      const put: string[][] = [[], []];
      for (const next of steps) {
        switch (next.do) {
          case 'put': {
            const records = put[next.partition]!;
            const texts = Array.from({ length: next.records }, (_, at) => {
              const n = (records.length + at) * 2 + next.partition;
              return [red, big, broken][n % 3]!(n);
            });
            records.push(...texts);
            await rig.put(next.partition, ...texts);
            break;
          }
          case 'advance':
            await rig.advance(next.seconds * 1000);
            break;
          case 'faults':
            rig.store.faults.push(...next.faults);
            break;
          case 'catalog':
            rig.catalogFaults.push(...next.faults);
            await rig.advance(3000);
            rig.catalogFaults.length = 0;
            break;
          case 'update':
            await update(rig, next.form);
            break;
          case 'redrive':
            await planRedrives(rig.services, rig.stream, 'archive');
            for (let turn = 0; turn < next.turns; turn += 1) await new Promise(setImmediate);
            break;
          case 'crash':
            await rig.crash();
            break;
          case 'stop':
            await stopTasks(rig.services, rig.stream, [id]);
            break;
          case 'start':
            await startTasks(rig.services, rig.stream, [id]);
        }
      }
      await rig.settle();
      await auditLetters(rig, id);
      rig.store.faults.length = 0;
      await rig.crash();
      await startTasks(rig.services, rig.stream, [id]);
      await update(rig, PLAIN);
      await rig.advance(45_000);
      await redrive(rig);
      await rig.advance(5000);
      await auditLetters(rig, id);

      const positions = await rig.positions();
      assert.deepEqual(
        positions.map(({ position, discarded, all_dead }) => [position, discarded, all_dead === 1]),
        positions.map(({ partition }) => [put[partition]!.length, 0, false]),
      );
      const found: string[] = [];
      for (const row of (await rig.rows()).filter(({ state, object_key }) => state === 0 && object_key !== '')) {
        const lines = (await rig.object(row.bucket, row.object_key)).split('\n').slice(0, -1);
        assert.equal(lines.length, row.records);
        found.push(...lines);
      }
      assert.deepEqual(found.sort(), put.flat().sort());
      const { dead, open } = await showRedrive(rig.services, rig.stream, 'archive');
      assert.deepEqual([dead.rows, open.rows], [0, 0]);
    }),
    { numRuns: 12 },
  );
});

/** What a redrive took is what it delivered and what it left; `discarded` and the rows of the log agree with that. */
async function auditLetters(rig: DumpRig, taskId: string): Promise<void> {
  const rows = (await rig.rows()).filter(({ task_id }) => task_id === taskId);
  const task = await rig.catalog.db.selectFrom('dump_tasks').selectAll().executeTakeFirstOrThrow();
  assert.equal(task.log_rows, rows.length);
  for (const source of rows.filter(({ dead_letters }) => dead_letters > 0)) {
    const letters = await rig.object(source.bucket, source.dead_letter_key!);
    assert.equal(letters.split('\n').length - 1, source.dead_letters);
    assert.equal(`sha256:${createHash('sha256').update(letters).digest('hex')}`, source.dead_letter_checksum);
    if (source.redriven_by === null) continue;
    const redriven = rows.filter(({ id, plan_id, state }) => state === 0 && (plan_id ?? id) === source.redriven_by);
    if (redriven.length === 0) continue;
    const sum = redriven.reduce((all, { records, dead_letters }) => all + records + dead_letters, 0);
    assert.equal(sum, source.dead_letters);
  }
  for (const { partition, discarded } of await rig.positions()) {
    const ofPartition = rows.filter((row) => row.partition === partition && row.state === 0);
    const dead = ofPartition.filter(({ kind }) => kind === 'delivery').reduce((sum, row) => sum + row.dead_letters, 0);
    const saved = ofPartition.filter(({ kind }) => kind === 'redrive').reduce((sum, row) => sum + row.records, 0);
    assert.equal(discarded, dead - saved);
  }
}

async function* bytes(text: string) {
  yield Buffer.from(text);
}

/** Transactions that happen and seem to fail. */
function losingAnswers(db: Kysely<Database>): Kysely<Database> {
  const transaction = () => ({
    setIsolationLevel: transaction,
    execute: async (run: (inner: Transaction<Database>) => Promise<unknown>) => {
      await db.transaction().execute(run);
      throw new Error('no answer');
    },
  });
  return new Proxy(db, {
    get(target, name) {
      if (name === 'transaction') return transaction;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { audit, BY_COUNTRY, EIGHT, FORMS, json, records, write } from '../../../test/support/cut-rig.ts';
import { ListSource } from '../../../test/support/list-source.ts';
import { MemoryStore } from '../../../test/support/memory-store.ts';
import { CONVERSION_LIMITS } from './conversion.ts';
import { ConverterPool } from './converter-pool.ts';
import { ConverterThread, spawnConverter } from './converter-thread.ts';

const pool = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 100, heldBytes: 200 } });
after(() => pool.close());

for (const [name, settings] of Object.entries(FORMS)) {
  test(`a converter makes the same files as this thread: ${name}`, async () => {
    const many = records(
      ...Array.from({ length: 3000 }, (_, index) => (index % 7 === 3 ? '{' : json(`c${index % 90}`, index))),
    );
    const here = await write(new ListSource(many, [40]), { settings });
    const there = await write(new ListSource(many, [7]), { settings, converters: pool });
    assert.deepEqual(there.cut, here.cut);
    assert.deepEqual(there.store.objects, here.store.objects);
    audit(there.cut, there.store);
  });
}

test('a converter that dies fails the cuts it had, and the next one gets another', async () => {
  const workers: Worker[] = [];
  const start = () => {
    const worker = spawnConverter();
    workers.push(worker);
    return new ConverterThread(worker);
  };
  const dying = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 100 }, start });
  try {
    const source = new ListSource(EIGHT, [2]);
    source.onBatch = async (_walk, batch) => {
      if (batch === 1) await workers[0]!.terminate();
      return true;
    };
    await assert.rejects(
      write(source, { settings: BY_COUNTRY, converters: dying }),
      /the converter stopped: ended with code 1/,
    );
    const { cut, store } = await write(new ListSource(EIGHT), { settings: BY_COUNTRY, converters: dying });
    audit(cut, store);
    assert.equal(workers.length, 2);
  } finally {
    await dying.close();
  }
  await assert.rejects(write(new ListSource(EIGHT), { settings: BY_COUNTRY, converters: dying }), /closed/);
});

test('when a cut is over, however it ends, its source is left', async () => {
  const many = records(...Array.from({ length: 3000 }, (_, index) => json('a', index)));
  const settings = BY_COUNTRY;
  const list = new ListSource(many, [100]);
  let open = 0;
  const source = {
    async *batches() {
      open += 1;
      try {
        yield* list.batches();
      } finally {
        open -= 1;
      }
    },
  };
  const few = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 100, records: 250 } });
  try {
    const { cut } = await write(source, { settings, converters: few });
    assert.equal(cut.next, 250);
    assert.equal(open, 0);
  } finally {
    await few.close();
  }
  const store = new MemoryStore();
  store.onPut = () => {
    throw new Error('503 Slow Down');
  };
  await assert.rejects(write(source, { settings, converters: pool, store }), /503 Slow Down/);
  assert.equal(open, 0);
  const abort = new AbortController();
  list.onBatch = (_walk, batch) => {
    if (batch === 3) abort.abort(new Error('stop'));
    return true;
  };
  await assert.rejects(write(source, { settings, converters: pool, signal: abort.signal }), /stop/);
  assert.equal(open, 0);
});

test('a cut that waits for the store does not hold up another one', async () => {
  const store = new MemoryStore();
  const held = Promise.withResolvers<void>();
  store.onPut = () => held.promise;
  const settings = BY_COUNTRY;
  const slow = write(new ListSource(EIGHT), { settings, converters: pool, store });
  const { cut, store: other } = await write(new ListSource(EIGHT), { settings, converters: pool });
  audit(cut, other);
  held.resolve();
  audit((await slow).cut, store);
});

test('more cuts than there are places wait for their turn', async () => {
  const all = Array.from({ length: 10 }, () =>
    write(new ListSource(EIGHT), { settings: BY_COUNTRY, converters: pool }),
  );
  for (const { cut, store } of await Promise.all(all)) audit(cut, store);
});

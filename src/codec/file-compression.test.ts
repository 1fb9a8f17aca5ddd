import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { seededFraction } from '../../test/support/random.ts';
import { Gate } from '../platform/gate.ts';
import { compressed } from './file-compression.ts';

const decompress = { gzip: gunzipSync, zstd: zstdDecompressSync };

/** The chunks in two pieces of memory that are used in turns, as whoever makes files gives them. */
async function* inTurns(chunks: readonly Buffer[], pause: () => Promise<void>): AsyncGenerator<Buffer> {
  const memory = [Buffer.alloc(300_000), Buffer.alloc(300_000)];
  for (const [index, chunk] of chunks.entries()) {
    await pause();
    const piece = memory[index % 2]!.fill(0xee);
    yield piece.subarray(0, chunk.copy(piece));
  }
}

async function compress(
  chunks: readonly Buffer[],
  how: 'gzip' | 'zstd',
  places = 2,
  pause = async () => undefined as void,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of compressed(inTurns(chunks, pause), how, new Gate(places))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Text that repeats itself over more than one window. */
function sample(bytes: number, seed: number): Buffer {
  const fraction = seededFraction(seed);
  const words = Array.from({ length: 500 }, () => Math.floor(fraction() * 1e9).toString(36));
  let text = '';
  while (text.length < bytes) text += `${words[Math.floor(fraction() * words.length)]!} `;
  return Buffer.from(text.slice(0, bytes));
}

for (const how of ['gzip', 'zstd'] as const) {
  test(`${how}: gives back what went in, the same bytes at any pace`, async () => {
    const chunk = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 300_000 }), fc.nat()).map(([bytes, seed]) => sample(bytes, seed)),
      fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), fc.array(fc.nat(3)), async (chunks, turns) => {
        const pauses = [...turns];
        const slow = async () => {
          for (let left = pauses.pop() ?? 0; left > 0; left -= 1) await setImmediate();
        };
        const object = await compress(chunks, how, 2, slow);
        assert.deepEqual(decompress[how](object), Buffer.concat(chunks));
        assert.deepEqual(await compress(chunks, how, 1), object);
      }),
      { numRuns: 30 },
    );
  });

  test(`${how}: an error of the chunks comes out, and nothing is left behind`, async () => {
    const failing = async function* () {
      yield sample(200_000, 1);
      yield sample(200_000, 2);
      throw new Error('no more');
    };
    const gate = new Gate(1);
    await assert.rejects(async () => {
      for await (const piece of compressed(failing(), how, gate)) assert.ok(piece.length > 0);
    }, /no more/);
    await gate.run(async () => undefined);
  });

  test(`${how}: a reader that stops early leaves the gate free`, async () => {
    const gate = new Gate(1);
    for await (const piece of compressed(
      inTurns([sample(200_000, 1), sample(200_000, 2)], async () => undefined),
      how,
      gate,
    )) {
      assert.ok(piece.length > 0);
      break;
    }
    await gate.run(async () => undefined);
  });
}

test('gzip: one member, which the gzip of the system takes', async () => {
  const chunks = [sample(100_000, 1), sample(100_000, 1), sample(50_000, 3)];
  const object = await compress(chunks, 'gzip');
  const { status, stdout } = spawnSync('gzip', ['-dc'], { input: object, maxBuffer: 2 ** 20 });
  assert.equal(status, 0);
  assert.deepEqual(stdout, Buffer.concat(chunks));
  // The second chunk is the first one again; what its beginning repeats is found through the dictionary.
  const alone = await compress([chunks[0]!], 'gzip');
  assert.ok((await compress([chunks[0]!, chunks[0]!.subarray(-20_000)], 'gzip')).length < alone.length + 1000);
  // A reader of a single member would stop before the end of a file of several.
  assert.equal(object.indexOf(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 1), -1);
});

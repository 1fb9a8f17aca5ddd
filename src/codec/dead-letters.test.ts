import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FrameReader, frameBytes, writeFrameStart } from '../model/record-batch.ts';
import { deadLetterLine, readDeadLetters } from './dead-letters.ts';

interface Given {
  readonly sequence: number;
  readonly time: number;
  readonly payload: Uint8Array;
  readonly key: string | undefined;
  readonly timestamp: number | undefined;
  readonly reason: string;
}

const given: fc.Arbitrary<Given> = fc.record({
  sequence: fc.maxSafeNat(),
  time: fc.maxSafeNat(),
  payload: fc.oneof(
    fc.uint8Array({ minLength: 1 }),
    fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => new TextEncoder().encode(text)),
    fc.constantFrom(Buffer.from('\uFEFF{}'), Buffer.from('a\r\nb\0'), Buffer.from([0xff]), Buffer.from('__proto__')),
  ),
  key: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
  timestamp: fc.option(fc.maxSafeNat(), { nil: undefined }),
  reason: fc.string(),
});

function frameOf({ payload, key, timestamp }: Given): Buffer {
  const keyBytes = key === undefined ? undefined : Buffer.byteLength(key);
  const frame = Buffer.alloc(frameBytes(payload.length, keyBytes, timestamp !== undefined));
  const keyAt = writeFrameStart(frame, 0, payload.length, keyBytes ?? -1, timestamp ?? -1);
  frame.set(payload, keyAt + frame.write(key ?? '', keyAt));
  return frame;
}

function lineOf(letter: Given): Buffer {
  const reader = new FrameReader(frameOf(letter));
  assert.ok(reader.next());
  return deadLetterLine(reader, { partition: 3, ...letter });
}

/** `bytes` in pieces of `size`, all in one piece of memory, as a store may give them. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) yield memory.subarray(0, bytes.copy(memory, 0, at, at + size));
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

test('what is written is read back, byte for byte, however the object is cut into pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(given, { maxLength: 20 }), fc.integer({ min: 1, max: 300 }), async (letters, size) => {
      const object = Buffer.concat(letters.map(lineOf));
      const read = (await all(readDeadLetters(inPieces(object, size)))).flat();
      assert.deepEqual(
        read,
        letters.map((letter) => ({
          firstSequence: letter.sequence,
          count: 1,
          time: letter.time,
          frames: frameOf(letter),
        })),
      );
    }),
  );
});

test('a line says everything that a person needs', () => {
  const text = { sequence: 12, time: 1764, payload: Buffer.from('{"a":"é"}'), key: 'k', timestamp: 9, reason: 'no b' };
  assert.equal(
    lineOf(text).toString(),
    '{"partition":"shardId-0000000003","sequence_number":"12","arrival_time":1764,"timestamp":9,"partition_key":"k",' +
      '"reason":"no b","payload":"{\\"a\\":\\"é\\"}"}\n',
  );
  const bytes = { ...text, payload: Buffer.from([0xc3]), key: undefined, timestamp: undefined };
  assert.deepEqual(JSON.parse(lineOf(bytes).toString()), {
    partition: 'shardId-0000000003',
    sequence_number: '12',
    arrival_time: 1764,
    reason: 'no b',
    payload_base64: 'ww==',
  });
});

test('batches are bounded', async () => {
  const payload = Buffer.alloc(400_000, 'x');
  const letters = [1, 2, 3, 4].map((sequence) => ({
    sequence,
    time: 1,
    payload,
    key: undefined,
    timestamp: undefined,
    reason: '',
  }));
  const object = Buffer.concat(letters.map(lineOf));
  const batches = await all(readDeadLetters(inPieces(object, 65_536)));
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [3, 1],
  );
});

for (const [what, object, message] of [
  ['no JSON', '{"a":\n', /line 1 /],
  ['not an object', 'null\n', /line 1 /],
  ['no payload', '{"sequence_number":"1","arrival_time":2}\n', /line 1 /],
  ['no number', '{"sequence_number":"x","arrival_time":2,"payload":"p"}\n', /line 1 /],
  ['no time', '{"sequence_number":"1","payload":"p"}\n', /line 1 /],
  ['half a line', '{"sequence_number":"1","arrival_time":2,"payload":"p"}\n{"seq', /in the middle of a line/],
] as const) {
  test(`a damaged object is refused: ${what}`, async () => {
    await assert.rejects(all(readDeadLetters(inPieces(Buffer.from(object), 7))), message);
  });
}

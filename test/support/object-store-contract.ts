/**
 * What every object store promises, as tests: `src/objects/directory.test.ts` and `s3.test.ts` run them against theirs.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isDomainError } from '../../src/model/errors.ts';
import type { ListedObject, ObjectStore, PutOptions, PutResult, StoredObject } from '../../src/objects/object-store.ts';

const MiB = 1024 * 1024;
const TEXT: PutOptions = { contentType: 'text/plain' };

/** `emptyBucket` gives the store under test and a bucket of it that holds nothing. */
export function testObjectStore(emptyBucket: () => Promise<{ store: ObjectStore; bucket: string }>): void {
  test('a put object can be read, sized and listed', async () => {
    const { store, bucket } = await emptyBucket();
    const stored = await store.put(bucket, 'one.txt', bodyOf('hello, ', 'world'), TEXT);
    assert.equal(stored.bytes, 12);
    assert.match(stored.etag, /^[\w-]+$/);
    assert.equal((await readAll(store, bucket, 'one.txt')).toString(), 'hello, world');
    assert.deepEqual(await store.head(bucket, 'one.txt'), asHead(stored));
    assert.equal(
      stored.sha256,
      createHash('sha256')
        .update(await readAll(store, bucket, 'one.txt'))
        .digest('hex'),
    );
    const [listed, ...others] = await listAll(store, bucket);
    assert.deepEqual([listed?.key, listed?.bytes, others], ['one.txt', 12, []]);
    assert.ok(listed?.etag === undefined || listed.etag === stored.etag);
  });

  test('a put replaces, and the same bytes have the same tag', async () => {
    const { store, bucket } = await emptyBucket();
    const first = await store.put(bucket, 'a', bodyOf('first'), TEXT);
    const second = await store.put(bucket, 'a', bodyOf('second'), TEXT);
    assert.notEqual(first.etag, second.etag);
    assert.equal((await readAll(store, bucket, 'a')).toString(), 'second');
    assert.deepEqual(await store.put(bucket, 'a', bodyOf('fi', 'rst'), TEXT), first);
    assert.deepEqual(await store.head(bucket, 'a'), asHead(first));
  });

  test('objects of no byte and of one byte', async () => {
    const { store, bucket } = await emptyBucket();
    for (const [key, pieces] of [
      ['none', []],
      ['empty-pieces', ['', '']],
      ['one', ['x']],
    ] as const) {
      const text = pieces.join('');
      const stored = await store.put(bucket, key, bodyOf(...pieces), TEXT);
      assert.equal(stored.bytes, text.length, key);
      assert.deepEqual(await store.head(bucket, key), asHead(stored));
      assert.equal((await readAll(store, bucket, key)).toString(), text);
    }
  });

  for (const bytes of [1 * MiB, 8 * MiB - 1, 8 * MiB, 16 * MiB, 20 * MiB + 13]) {
    test(`${bytes} bytes in pieces of odd sizes, gathered in buffers that are used again`, async () => {
      const { store, bucket } = await emptyBucket();
      const expected = noise(bytes);
      const stored = await store.put(bucket, 'large', inOddPieces(expected), TEXT);
      assert.equal(stored.bytes, bytes);
      assert.deepEqual(await store.head(bucket, 'large'), asHead(stored));
      assert.ok(expected.equals(await readAll(store, bucket, 'large')));
    });
  }

  test('a list has every object once and can be narrowed to a prefix', async () => {
    const { store, bucket } = await emptyBucket();
    const keys = ['a/b.c', 'a/b/c', 'a/b/d/e', 'a/b0', 'a0', 'b', 'größe/日本語.txt'];
    for (const key of keys.toReversed()) await store.put(bucket, key, bodyOf(key), TEXT);
    // The order is the store's own.
    const listed = async (prefix: string) => (await listAll(store, bucket, prefix)).map(({ key }) => key).sort();

    assert.deepEqual(await listed(''), keys);
    assert.deepEqual(await listed('a/b'), ['a/b.c', 'a/b/c', 'a/b/d/e', 'a/b0']);
    assert.deepEqual(await listed('a/b/'), ['a/b/c', 'a/b/d/e']);
    assert.deepEqual(await listed('a/b/d/e'), ['a/b/d/e']);
    assert.deepEqual(await listed('größe/日'), ['größe/日本語.txt']);
    for (const prefix of ['c', 'a/b/d/e/', '../', '/', '..']) assert.deepEqual(await listed(prefix), [], prefix);
    for (const key of keys) assert.equal((await readAll(store, bucket, key)).toString(), key);
  });

  test('large pieces that take turns in two buffers', async () => {
    const { store, bucket } = await emptyBucket();
    const bytes = noise(24 * MiB + 5);
    await store.put(bucket, 'large', inTurns(bytes, MiB), TEXT);
    assert.ok(bytes.equals(await readAll(store, bucket, 'large')));
  });

  for (const size of [MiB, 8 * MiB]) {
    test(`a piece of ${size} bytes between short ones, each overwritten once the next but one is asked for`, async () => {
      const { store, bucket } = await emptyBucket();
      const sizes = [size, 10, 10, 10, size, 10, size - 20, 10, size];
      const bytes = noise(sizes.reduce((sum, one) => sum + one));
      await store.put(bucket, 'mixed', inPassing(bytes, sizes), TEXT);
      assert.ok(bytes.equals(await readAll(store, bucket, 'mixed')));
    });
  }

  test('keys with signs that mean something in a URL', async () => {
    const { store, bucket } = await emptyBucket();
    for (const key of ["a b+c%2F=&?#'!(*)~:@$,;", '...', 'x/.hidden', 'a..b']) {
      await store.put(bucket, key, bodyOf(key), TEXT);
      assert.equal((await readAll(store, bucket, key)).toString(), key);
      assert.equal((await listAll(store, bucket, key))[0]?.key, key);
    }
  });

  test('a deleted object is gone, and may be deleted again', async () => {
    const { store, bucket } = await emptyBucket();
    await store.put(bucket, 'a/b', bodyOf('x'), TEXT);
    await store.delete(bucket, 'a/b');
    await store.delete(bucket, 'a/b');
    assert.equal(await store.head(bucket, 'a/b'), undefined);
    assert.deepEqual(await listAll(store, bucket), []);
  });

  test('a missing object has no head and cannot be read', async () => {
    const { store, bucket } = await emptyBucket();
    await store.put(bucket, 'a/b', bodyOf('x'), TEXT);
    for (const key of ['a', 'a/c', 'a/b/c', 'nothing/here']) {
      assert.equal(await store.head(bucket, key), undefined, key);
      await assert.rejects(readAll(store, bucket, key), refused, key);
    }
  });

  test('names that reach out of the bucket are refused', async () => {
    const { store, bucket } = await emptyBucket();
    const keys = ['', '/', '/a', 'a/', 'a//b', '.', '..', '../x', 'a/../../x', 'a/./b', 'a\0b', '..\\x', '\ud800'];
    for (const key of [...keys, 'k'.repeat(1025)]) {
      await assert.rejects(store.put(bucket, key, bodyOf('x'), TEXT), refused, key);
      await assert.rejects(store.head(bucket, key), refused, key);
      await assert.rejects(readAll(store, bucket, key), refused, key);
      await assert.rejects(store.delete(bucket, key), refused, key);
    }
    for (const name of ['', '.', '..', '.hidden', 'a/b', '../x', 'ü', 'a\0', 'b'.repeat(256)]) {
      await assert.rejects(store.checkBucket(name), noBucket, name);
      await assert.rejects(store.put(name, 'a', bodyOf('x'), TEXT), noBucket, name);
      await assert.rejects(listAll(store, name), noBucket, name);
    }
    assert.deepEqual(await listAll(store, bucket), []);
  });

  for (const before of [0, 1000, 9 * MiB, 17 * MiB]) {
    test(`an abort after ${before} bytes leaves no object and rejects with its reason`, async () => {
      const { store, bucket } = await emptyBucket();
      const abort = new AbortController();
      const reason = new Error('stopping');
      async function* body() {
        yield noise(before);
        abort.abort(reason);
        yield Buffer.from('too late');
      }
      await assert.rejects(store.put(bucket, 'a', body(), { ...TEXT, signal: abort.signal }), reason);
      assert.equal(await store.head(bucket, 'a'), undefined);
      assert.deepEqual(await listAll(store, bucket), []);
    });
  }

  test('a put that is stopped before it begins takes nothing from the body', async () => {
    const { store, bucket } = await emptyBucket();
    const reason = new Error('stopped');
    async function* body() {
      yield assert.fail('the body was read');
    }
    await assert.rejects(store.put(bucket, 'a', body(), { ...TEXT, signal: AbortSignal.abort(reason) }), reason);
  });

  test('an error of the body is passed on, and the object that was there stays', async () => {
    const { store, bucket } = await emptyBucket();
    await store.put(bucket, 'a', bodyOf('old'), TEXT);
    for (const before of [10, 9 * MiB]) {
      const broken = Object.assign(new Error('cannot read the log'), { code: 'EIO' });
      async function* body() {
        yield noise(before);
        throw broken;
      }
      await assert.rejects(store.put(bucket, 'a', body(), TEXT), broken);
      assert.equal((await readAll(store, bucket, 'a')).toString(), 'old');
    }
  });

  test('many puts at once, two of them under one key', async () => {
    const { store, bucket } = await emptyBucket();
    const names = ['a/1', 'a/2', 'a/b/3', 'c/4', 'same', 'same'];
    const stored = await Promise.all(
      names.map((key, index) => store.put(bucket, key, inOddPieces(noise(100_000 + (index % 5))), TEXT)),
    );
    for (const [index, key] of names.slice(0, 4).entries()) {
      assert.deepEqual(await store.head(bucket, key), asHead(stored[index]!));
    }
    const same = await store.head(bucket, 'same');
    assert.ok(stored.slice(4).some(({ etag }) => etag === same?.etag));
  });
}

export async function* bodyOf(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

export async function readAll(store: ObjectStore, bucket: string, key: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(bucket, key)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function listAll(store: ObjectStore, bucket: string, prefix = ''): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const object of store.list(bucket, prefix)) objects.push(object);
  return objects;
}

export function refused(error: unknown): boolean {
  return isDomainError(error, 'ObjectStoreRefused');
}

export function noBucket(error: unknown): boolean {
  return isDomainError(error, 'BucketNotFound');
}

/** Bytes that differ at every place where two blocks could be mixed up. */
export function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0, value = 1; at + 4 <= bytes; at += 4) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
    buffer.writeInt32LE(value, at);
  }
  return buffer;
}

/** Pieces from one byte to some megabytes, each overwritten once the next one is asked for. */
export async function* inOddPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const sizes = [1, 70_001, 3, 1_048_576, 2_500_003, 0, 4095];
  for (let at = 0, turn = 0; at < bytes.byteLength; turn += 1) {
    const piece = Uint8Array.from(bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1)));
    yield piece;
    at += piece.byteLength;
    piece.fill(0xee);
  }
}

/** What a head says of an object that was put. */
function asHead({ bytes, etag }: PutResult): StoredObject {
  return { bytes, etag };
}

/** Pieces of one size whose memory is used again once the next but one is asked for, as the contract allows. */
async function* inTurns(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  const buffers = [Buffer.alloc(size), Buffer.alloc(size)];
  for (let at = 0, turn = 0; at < bytes.length; at += size, turn = 1 - turn) {
    const buffer = buffers[turn]!;
    yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + size));
  }
}

/** Pieces of given sizes, each overwritten as early as the contract allows. */
export async function* inPassing(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const given: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    given.at(-2)?.fill(0xee);
    given.push(Uint8Array.from(bytes.subarray(at, (at += size))));
    yield given.at(-1)!;
  }
}

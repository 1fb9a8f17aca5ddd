import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  bodyOf,
  inOddPieces,
  inPassing,
  listAll,
  noise,
  readAll,
  testObjectStore,
} from '../../test/support/object-store-contract.ts';
import { isDomainError } from '../model/errors.ts';
import { nodeFileSystem, type File, type FileSystem } from '../platform/file-system.ts';
import { systemRandom } from '../platform/random.ts';
import { openDirectoryStore } from './directory.ts';
import type { ObjectStore } from './object-store.ts';

const TEXT = { contentType: 'text/plain' };

describe('the directory store', () => {
  let root: string;
  let store: ObjectStore;
  let buckets = 0;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-objects-'));
    store = await open(nodeFileSystem);
  });
  after(() => rm(root, { recursive: true }));

  const open = (fileSystem: FileSystem) => openDirectoryStore({ fileSystem, root: `${root}/`, random: systemRandom });
  const newBucket = () => `bucket-${(buckets += 1)}`;

  testObjectStore(async () => {
    const bucket = newBucket();
    await store.checkBucket(bucket);
    return { store, bucket };
  });

  test('an object is a file, and nothing else stays beside it', async () => {
    const bucket = newBucket();
    await store.put(bucket, '2026/06/a.txt', bodyOf('hello'), TEXT);
    assert.equal(await readFile(join(root, bucket, '2026/06/a.txt'), 'utf8'), 'hello');
    assert.deepEqual(await readdir(join(root, bucket, '.sluice-tmp')), []);
  });

  test('the tag is the length and the CRC-32 of the bytes', async () => {
    const { etag } = await store.put(newBucket(), 'a', bodyOf('123', '456', '789'), TEXT);
    assert.equal(etag, '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225');
  });

  test('the temporary folder is no part of the bucket, its left-overs go when the store opens', async () => {
    const bucket = newBucket();
    const scratch = join(root, bucket, '.sluice-tmp');
    await store.put(bucket, 'a', bodyOf('x'), TEXT);
    await writeFile(join(scratch, 'left-over'), 'half a file');
    assert.deepEqual(await listAll(store, bucket), [{ key: 'a', bytes: 1, etag: undefined }]);
    for (const key of ['.sluice-tmp', '.sluice-tmp/left-over']) {
      await assert.rejects(store.head(bucket, key), isRefusal('the key is not allowed'));
    }
    await open(nodeFileSystem);
    assert.deepEqual(await readdir(scratch), []);
  });

  test('a list is in order of UTF-8, which is not that of UTF-16', async () => {
    const bucket = newBucket();
    const keys = ['B', 'a', 'a.b', 'a0', '\u{ff5e}', '\u{1f600}/x', '\u{1f600}0'];
    for (const key of keys.toReversed()) await store.put(bucket, key, bodyOf(), TEXT);
    assert.deepEqual(
      (await listAll(store, bucket)).map(({ key }) => key),
      keys,
    );
  });

  test('a bucket without a folder is empty, and a put makes the folder, also once it was removed', async () => {
    const bucket = newBucket();
    assert.deepEqual(await listAll(store, bucket), []);
    assert.equal(await store.head(bucket, 'a'), undefined);
    await store.put(bucket, 'x/a', bodyOf('1'), TEXT);
    await rm(join(root, bucket), { recursive: true });
    await store.put(bucket, 'x/a', bodyOf('2'), TEXT);
    assert.equal((await readAll(store, bucket, 'x/a')).toString(), '2');
  });

  test('a key below an object, and one that is a folder, are refused with the code of the disk', async () => {
    const bucket = newBucket();
    await store.put(bucket, 'a/b', bodyOf('x'), TEXT);
    await assert.rejects(store.put(bucket, 'a/b/c', bodyOf('x'), TEXT), isRefusal('EEXIST'));
    await assert.rejects(store.put(bucket, 'a', bodyOf('x'), TEXT), isRefusal('EISDIR'));
    await assert.rejects(store.put(bucket, 'n'.repeat(256), bodyOf('x'), TEXT), isRefusal('ENAMETOOLONG'));
    assert.deepEqual(await readdir(join(root, bucket, '.sluice-tmp')), []);
  });

  test('a disk error refuses the put with its code and leaves what was there', async () => {
    const bucket = newBucket();
    await store.put(bucket, 'a', bodyOf('old'), TEXT);
    for (const [step, code] of [
      ['write', 'ENOSPC'],
      ['sync', 'EIO'],
      ['close', 'EIO'],
      ['rename', 'EACCES'],
    ] as const) {
      const failing = await open(failingAt(step, code));
      // 20 MiB have a sync of their own in the middle.
      for (const body of [noise(3), noise(20 * 1024 * 1024)]) {
        await assert.rejects(failing.put(bucket, 'a', inOddPieces(body), TEXT), isRefusal(`[${bucket}][a][${code}]`));
      }
      assert.equal((await readAll(store, bucket, 'a')).toString(), 'old');
      assert.deepEqual(await readdir(join(root, bucket, '.sluice-tmp')), [], step);
    }
  });

  test('a sync that failed in the middle is not made good by one that works at the end', async () => {
    const bucket = newBucket();
    let syncs = 0;
    const failing = await open({
      ...nodeFileSystem,
      async open(path, mode) {
        const file = await nodeFileSystem.open(path, mode);
        const sync = async () => {
          if ((syncs += 1) === 1) throw Object.assign(new Error('EIO: sync'), { code: 'EIO' });
          await file.sync();
        };
        return { ...fileMethods(file), sync };
      },
    });
    await assert.rejects(failing.put(bucket, 'a', inOddPieces(noise(17 * 1024 * 1024)), TEXT), isRefusal('[EIO]'));
    assert.equal(await store.head(bucket, 'a'), undefined);
  });

  test('a write that takes until the body has moved on writes what the body gave', async () => {
    const bucket = newBucket();
    const movedOn = Promise.withResolvers<void>();
    const slow = await open({
      ...nodeFileSystem,
      async open(path, mode) {
        const file = await nodeFileSystem.open(path, mode);
        return { ...fileMethods(file), write: (...given) => movedOn.promise.then(() => file.write(...given)) };
      },
    });
    const sizes = [1024 * 1024, 10, 10, 10];
    const bytes = noise(sizes.reduce((sum, size) => sum + size));
    async function* body() {
      yield* inPassing(bytes, sizes);
      movedOn.resolve();
    }
    await slow.put(bucket, 'a', body(), TEXT);
    assert.ok(bytes.equals(await readAll(store, bucket, 'a')));
  });

  test('the bytes are synced before the name appears, and every new folder before the put resolves', async () => {
    const bucket = newBucket();
    const calls: string[] = [];
    const recording = await open(recordingTo(calls, root));
    calls.length = 0;
    await recording.put(bucket, 'x/y/a', bodyOf('1'), TEXT);
    assert.deepEqual(calls, [
      'sync',
      `syncDirectory ${bucket}/x`,
      `syncDirectory ${bucket}`,
      'syncDirectory .',
      `rename ${bucket}/x/y/a`,
      `syncDirectory ${bucket}/x/y`,
    ]);
    calls.length = 0;
    await recording.put(bucket, 'x/y/b', bodyOf('1'), TEXT);
    assert.deepEqual(calls, ['sync', `rename ${bucket}/x/y/b`, `syncDirectory ${bucket}/x/y`]);
  });

  test('a bucket that cannot be swept does not keep the store from opening, but refuses puts until it can', async () => {
    const bucket = newBucket();
    await store.checkBucket(bucket);
    let broken = true;
    const opened = await open({
      ...nodeFileSystem,
      list: async (path) => {
        if (broken && path.includes(bucket)) throw Object.assign(new Error('EACCES: list'), { code: 'EACCES' });
        return nodeFileSystem.list(path);
      },
    });
    await assert.rejects(opened.put(bucket, 'a', bodyOf('x'), TEXT), isRefusal(`[${bucket}][a][EACCES]`));
    broken = false;
    await opened.put(bucket, 'a', bodyOf('x'), TEXT);
  });
});

function isRefusal(part: string) {
  return (error: unknown) => isDomainError(error, 'ObjectStoreRefused') && error.message.includes(part);
}

type Step = 'write' | 'sync' | 'close' | 'rename';

/** The real disk, but one step fails after it was done. */
function failingAt(failing: Step, code: string): FileSystem {
  const after = async (step: Step, done: Promise<void>) => {
    await done;
    if (step === failing) throw Object.assign(new Error(`${code}: ${step}`), { code });
  };
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...fileMethods(file),
        write: (buffers, position) => after('write', file.write(buffers, position)),
        sync: () => after('sync', file.sync()),
        close: () => after('close', file.close()),
      };
    },
    rename: (from, to) => (failing === 'rename' ? after('rename', Promise.resolve()) : nodeFileSystem.rename(from, to)),
  };
}

/** The real disk, writing down in which order things become durable. */
function recordingTo(calls: string[], root: string): FileSystem {
  const below = (path: string) => path.slice(root.length + 1) || '.';
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return { ...fileMethods(file), sync: () => (calls.push('sync'), file.sync()) };
    },
    rename: (from, to) => (calls.push(`rename ${below(to)}`), nodeFileSystem.rename(from, to)),
    syncDirectory: (path) => (calls.push(`syncDirectory ${below(path)}`), nodeFileSystem.syncDirectory(path)),
  };
}

function fileMethods(file: File): File {
  return {
    read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
    write: (buffers, position) => file.write(buffers, position),
    sync: () => file.sync(),
    truncate: (length) => file.truncate(length),
    size: () => file.size(),
    close: () => file.close(),
  };
}

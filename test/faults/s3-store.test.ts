/** The S3 store in front of a service that refuses, hangs, breaks connections and loses answers. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { isDomainError } from '../../src/model/errors.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { openS3Store } from '../../src/objects/s3.ts';
import {
  startFaultyProxy,
  UNAVAILABLE,
  type Fault,
  type FaultScript,
  type FaultyProxy,
} from '../support/faulty-proxy.ts';
import { inOddPieces, listAll, noBucket, noise, readAll, refused } from '../support/object-store-contract.ts';
import { startS3, type TestS3 } from '../support/s3.ts';

const TEXT = { contentType: 'text/plain' };
const SMALL = noise(100_000);
const LARGE = noise(20 * 1024 * 1024 + 5);
const TIMEOUT_SECONDS = 1;
/** The timeout, once more for the request that cleans up, and room for a busy machine. */
const PATIENCE_MS = 2 * TIMEOUT_SECONDS * 1000 + 1500;

const FAULTS: Record<string, Fault> = {
  'a 503': UNAVAILABLE,
  silence: 'hang',
  'a cut': 'cut',
  'a lost answer': 'lose',
};
/** The requests of a put, by what tells them from the others. */
const PUT_OBJECT = { name: 'PutObject', bytes: SMALL, method: 'PUT', path: /^\/bucket\/key(\?x-id=PutObject)?$/ };
const UPLOAD_PART = { name: 'the second UploadPart', bytes: LARGE, method: 'PUT', path: /partNumber=2/ };
const STEPS = [
  PUT_OBJECT,
  { name: 'CreateMultipartUpload', bytes: LARGE, method: 'POST', path: /\?uploads/ },
  UPLOAD_PART,
  { name: 'CompleteMultipartUpload', bytes: LARGE, method: 'POST', path: /uploadId=/ },
];

describe('the S3 store and a service that fails', () => {
  let s3: TestS3;
  let proxy: FaultyProxy;
  let store: ObjectStore;

  before(async () => {
    s3 = await startS3();
    await s3.createBucket('bucket');
    proxy = await startFaultyProxy(s3.endpoint);
    store = await openS3Store({ ...s3, endpoint: proxy.endpoint, pathStyle: true, timeoutSeconds: TIMEOUT_SECONDS });
  });
  afterEach(async () => {
    proxy.heal();
    await store.delete('bucket', 'key');
  });
  after(async () => {
    await store.close();
    await proxy.close();
    await s3.close();
  });

  const put = (bytes: Buffer, signal?: AbortSignal) =>
    store.put('bucket', 'key', inOddPieces(bytes), signal === undefined ? TEXT : { ...TEXT, signal });

  for (const { name: step, bytes, method, path } of STEPS) {
    for (const [name, fault] of Object.entries(FAULTS)) {
      const script: FaultScript = (request) =>
        request.method === method && path.test(request.path) ? fault : undefined;

      test(`${name} at ${step}: refused in time, and the same put works afterwards`, async () => {
        const began = performance.now();
        proxy.fail(script);
        await assert.rejects(put(bytes), (error) => refused(error) && String(error).includes('[bucket][key]'));
        assert.ok(performance.now() - began < PATIENCE_MS, `${performance.now() - began} ms`);
        assert.ok(
          proxy.requests.some((request) => request.fault !== undefined),
          'the fault was met',
        );

        proxy.heal();
        const stored = await put(bytes);
        assert.ok(bytes.equals(await readAll(store, 'bucket', 'key')));
        assert.deepEqual(await store.head('bucket', 'key'), { bytes: stored.bytes, etag: stored.etag });
        assert.deepEqual(await listAll(store, 'bucket'), [{ key: 'key', bytes: bytes.byteLength, etag: stored.etag }]);
      });
    }
  }

  for (const [name, fault] of Object.entries({
    'a 503': UNAVAILABLE,
    'a cut': 'cut',
    'a lost answer': 'lose',
  } as const)) {
    test(`${name} that happens once is got over without the caller`, async () => {
      for (const { bytes, method, path } of [PUT_OBJECT, UPLOAD_PART]) {
        proxy.fail((request) =>
          request.method === method && path.test(request.path) && request.attempt === 1 ? fault : undefined,
        );
        await put(bytes);
        assert.equal(proxy.requests.filter((request) => request.fault !== undefined).length, 1);
        assert.ok(bytes.equals(await readAll(store, 'bucket', 'key')));
      }
    });
  }

  test('a lost answer and a redo leave exactly the object that one put makes', async () => {
    for (const bytes of [SMALL, LARGE]) {
      proxy.heal();
      const expected = await put(bytes);
      await store.delete('bucket', 'key');

      proxy.fail(({ method, path }) => (method !== 'DELETE' && !path.includes('uploads') ? 'lose' : undefined));
      await assert.rejects(put(bytes), refused);
      proxy.heal();
      assert.deepEqual(await put(bytes), expected);
      assert.deepEqual(await listAll(store, 'bucket'), [{ key: 'key', bytes: bytes.byteLength, etag: expected.etag }]);
    }
  });

  test('a failed or stopped multipart upload is aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('stopping');
    proxy.fail(({ path }) => {
      if (!path.includes('partNumber=2')) return undefined;
      abort.abort(reason);
      return 'hang';
    });
    await assert.rejects(put(LARGE, abort.signal), reason);
    assert.equal(
      proxy.requests.filter(({ method, path }) => method === 'DELETE' && path.includes('uploadId=')).length,
      1,
    );

    proxy.fail(({ path }) => (path.includes('partNumber=3') ? UNAVAILABLE : undefined));
    await assert.rejects(put(LARGE), refused);
    assert.equal(
      proxy.requests.filter(({ method, path }) => method === 'DELETE' && path.includes('uploadId=')).length,
      1,
    );
    assert.equal(await store.head('bucket', 'key'), undefined);
  });

  test('a put is stopped while a small object waits for its answer', async () => {
    const abort = new AbortController();
    const reason = new Error('stopping');
    proxy.fail(() => {
      abort.abort(reason);
      return 'hang';
    });
    await assert.rejects(put(SMALL, abort.signal), reason);
  });

  test('when nothing answers at all, a multipart upload ends in time, and so do the other calls', async () => {
    let parts = 0;
    proxy.fail(({ path }) => ((parts += Number(path.includes('partNumber='))) > 0 ? 'hang' : undefined));
    const began = performance.now();
    await assert.rejects(put(LARGE), refused);
    assert.ok(performance.now() - began < PATIENCE_MS, `${performance.now() - began} ms`);

    const silent = (error: unknown) => refused(error) && String(error).includes('no answer for 1 s');
    await Promise.all([
      assert.rejects(store.checkBucket('bucket'), silent),
      assert.rejects(store.head('bucket', 'key'), silent),
      assert.rejects(readAll(store, 'bucket', 'key'), silent),
      assert.rejects(listAll(store, 'bucket'), silent),
      assert.rejects(store.delete('bucket', 'key'), silent),
    ]);
  });

  test('what the service answers is told, and no secret', async () => {
    for (const { status, code } of [
      { status: 403, code: 'AccessDenied' },
      { status: 403, code: 'InvalidAccessKeyId' },
      { status: 403, code: 'SignatureDoesNotMatch' },
      { status: 500, code: 'InternalError' },
    ]) {
      proxy.fail(() => ({ status, code }));
      await assert.rejects(put(SMALL), (error) => {
        assert.ok(isDomainError(error, 'ObjectStoreRefused'));
        assert.equal(error.message, `OBS cannot be accessed. [bucket][key][${status} ${code}]`);
        return true;
      });
      await assert.rejects(
        store.checkBucket('bucket'),
        (error) => refused(error) && String(error).includes(`[${status} `),
      );
    }
    proxy.fail(() => ({ status: 404, code: 'NoSuchBucket' }));
    await assert.rejects(put(SMALL), noBucket);
    await assert.rejects(put(LARGE), noBucket);
    await assert.rejects(store.checkBucket('bucket'), noBucket);
  });

  test('a 200 that is not from S3 does not count as stored', async () => {
    proxy.fail(() => ({ status: 200, code: 'PleaseLogIn' }));
    await assert.rejects(put(SMALL), refused);
    await assert.rejects(put(LARGE), refused);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  bodyOf,
  listAll,
  noBucket,
  readAll,
  refused,
  testObjectStore,
} from '../../test/support/object-store-contract.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
import { isDomainError } from '../model/errors.ts';
import type { ObjectStore } from './object-store.ts';
import { openS3Store } from './s3.ts';

const TEXT = { contentType: 'text/plain' };

describe('the S3 store', () => {
  let s3: TestS3;
  let store: ObjectStore;
  let buckets = 0;

  before(async () => {
    s3 = await startS3();
    store = await openS3Store({ ...s3, pathStyle: true, timeoutSeconds: 5 });
  });
  after(async () => {
    await store.close();
    await s3.close();
  });

  const newBucket = () => {
    const bucket = `bucket-${(buckets += 1)}`;
    s3.createBucket(bucket);
    return bucket;
  };

  testObjectStore(async () => {
    const bucket = newBucket();
    await store.checkBucket(bucket);
    return { store, bucket };
  });

  test('a missing bucket is told apart from a store that cannot be used', async () => {
    await assert.rejects(store.checkBucket('missing'), noBucket);
    await assert.rejects(store.put('missing', 'a', bodyOf('x'), TEXT), noBucket);
    await assert.rejects(readAll(store, 'missing', 'a'), noBucket);
    await assert.rejects(listAll(store, 'missing'), noBucket);
    assert.equal(await store.head('missing', 'a'), undefined);
  });

  test('content type and encoding reach the service', async () => {
    const bucket = newBucket();
    await store.put(bucket, 'a.gz', bodyOf('x'), { contentType: 'application/json', contentEncoding: 'gzip' });
    const { headers } = await fetch(`${s3.endpoint}/${bucket}/a.gz`, { method: 'HEAD' });
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(headers.get('content-encoding'), 'gzip');
  });

  test('a list goes on over all pages', async () => {
    const bucket = newBucket();
    const keys = Array.from({ length: 1002 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 100) {
      await Promise.all(keys.slice(at, at + 100).map((key) => store.put(bucket, key, bodyOf(), TEXT)));
    }
    const listed = (await listAll(store, bucket)).map(({ key }) => key);
    assert.equal(listed.join(' '), keys.join(' '));
  });

  test('a service that is not there is refused with the code of the system', async () => {
    const gone = await startS3();
    await gone.close();
    const unreachable = await openS3Store({ ...gone, pathStyle: true, timeoutSeconds: 1 });
    const refusal = (error: unknown) => refused(error) && String(error).includes('[b][a][ECONNREFUSED]');
    await assert.rejects(unreachable.put('b', 'a', bodyOf('x'), TEXT), refusal);
    await assert.rejects(unreachable.head('b', 'a'), refusal);
    await assert.rejects(unreachable.checkBucket('b'), (error) => isDomainError(error, 'ObjectStoreRefused'));
    await unreachable.close();
  });
});

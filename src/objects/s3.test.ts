import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { S3 } from '@aws-sdk/client-s3';
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
import { PART_BYTES } from './s3-upload.ts';

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

  const newBucket = async () => {
    const bucket = `bucket-${(buckets += 1)}`;
    await s3.createBucket(bucket);
    return bucket;
  };

  testObjectStore(async () => {
    const bucket = await newBucket();
    await store.checkBucket(bucket);
    return { store, bucket };
  });

  test('a missing bucket is told apart from a store that cannot be used', async (t) => {
    if (s3.strict) return t.skip('this service makes buckets on demand');
    await assert.rejects(store.checkBucket('missing'), noBucket);
    await assert.rejects(store.put('missing', 'a', bodyOf('x'), TEXT), noBucket);
    await assert.rejects(readAll(store, 'missing', 'a'), noBucket);
    await assert.rejects(listAll(store, 'missing'), noBucket);
    assert.equal(await store.head('missing', 'a'), undefined);
  });

  test('content type and encoding reach the service', async () => {
    const bucket = await newBucket();
    await store.put(bucket, 'a.gz', bodyOf('x'), { contentType: 'application/json', contentEncoding: 'gzip' });
    const client = clientOf(s3);
    const { ContentType, ContentEncoding } = await client.headObject({ Bucket: bucket, Key: 'a.gz' });
    client.destroy();
    assert.deepEqual([ContentType, ContentEncoding], ['application/json', 'gzip']);
  });

  test('a list goes on over all pages', async () => {
    const bucket = await newBucket();
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

  test('what a killed run has left half uploaded goes; what is under way and what is not ours stays', async (t) => {
    if (!s3.strict) return t.skip('this service lists no uploads');
    const bucket = await newBucket();
    const client = clientOf(s3);
    for (const Key of ['a/ours', 'a/theirs', 'b/ours']) await client.createMultipartUpload({ Bucket: bucket, Key });
    const under = async () => {
      const { Uploads = [] } = await client.listMultipartUploads({ Bucket: bucket });
      return Uploads.map(({ Key }) => Key).sort();
    };
    const part = Buffer.alloc(PART_BYTES);
    let removed = 0;
    async function* body() {
      yield part;
      yield part;
      assert.deepEqual(await under(), ['a/ours', 'a/running', 'a/theirs', 'b/ours']);
      const isOurs = (key: string) => key !== 'a/theirs';
      removed = await store.removeLeftovers(bucket, 'a/', isOurs);
      yield part;
    }
    const { bytes } = await store.put(bucket, 'a/running', body(), TEXT);
    assert.equal(bytes, 3 * PART_BYTES);
    assert.equal(removed, 1);
    assert.deepEqual(await under(), ['a/theirs', 'b/ours']);
    assert.deepEqual(
      (await listAll(store, bucket)).map(({ key }) => key),
      ['a/running'],
    );
    client.destroy();
  });

  test('an upload that is gone once it was listed does not keep the others from going', async (t) => {
    const aborted: string[] = [];
    const service = createServer((request, response) => {
      const url = new URL(request.url!, 'http://service');
      if (request.method === 'GET') {
        const uploads = ['gone', 'there'].map((id) => `<Upload><Key>a/${id}</Key><UploadId>${id}</UploadId></Upload>`);
        response.end(`<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`);
        return;
      }
      const id = url.searchParams.get('uploadId')!;
      aborted.push(id);
      response.statusCode = id === 'gone' ? 404 : 204;
      response.end(id === 'gone' ? '<Error><Code>NoSuchUpload</Code></Error>' : undefined);
    });
    t.after(() => service.close());
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    const forgetful = await openS3Store({ ...s3, endpoint, pathStyle: true, timeoutSeconds: 5 });
    t.after(() => forgetful.close());
    assert.equal(await forgetful.removeLeftovers('bucket', 'a/', () => true), 1);
    assert.deepEqual(aborted, ['gone', 'there']);
  });

  test('a wrong key is refused with what the service says', async (t) => {
    if (!s3.strict) return t.skip('this service checks no signatures');
    const bucket = await newBucket();
    const stranger = await openS3Store({ ...s3, secretKey: 'wrong', pathStyle: true, timeoutSeconds: 5 });
    const refusal = (error: unknown) => refused(error) && String(error).includes('403 SignatureDoesNotMatch');
    await assert.rejects(stranger.put(bucket, 'a', bodyOf('x'), TEXT), refusal);
    await assert.rejects(readAll(stranger, bucket, 'a'), refusal);
    await assert.rejects(stranger.checkBucket(bucket), (error) => isDomainError(error, 'ObjectStoreRefused'));
    await stranger.close();
  });
});

function clientOf({ endpoint, region, accessKey: accessKeyId, secretKey: secretAccessKey }: TestS3): S3 {
  return new S3({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

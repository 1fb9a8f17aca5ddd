import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { readFolder, readS3Bucket } from '../support/buckets.ts';
import { startS3, type TestS3 } from '../support/s3.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runDumpDeliveryConformance, type DeliveryTarget } from './suites/dump-delivery.ts';

describe('into a directory', () => {
  let server: TestServer;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  runDumpDeliveryConformance(() => ({
    ...addressOf(server),
    bucket: 'bucket',
    objects: (prefix) => readFolder(join(server.dataDir, 'objects', 'bucket'), prefix),
  }));
});

describe('into S3', () => {
  let s3: TestS3;
  let server: TestServer;
  before(async () => {
    s3 = await startS3();
    s3.createBucket('bucket');
    server = await startServer({
      env: {
        SLUICE_S3_ENDPOINT: s3.endpoint,
        SLUICE_S3_REGION: s3.region,
        SLUICE_S3_ACCESS_KEY: s3.accessKey,
        SLUICE_S3_SECRET_KEY: s3.secretKey,
      },
    });
  });
  after(async () => {
    await server.stop();
    await s3.close();
  });

  runDumpDeliveryConformance(() => ({
    ...addressOf(server),
    bucket: 'bucket',
    objects: (prefix) => readS3Bucket(s3, 'bucket', prefix),
  }));
});

function addressOf({ baseUrl, credentials }: TestServer): Pick<DeliveryTarget, 'baseUrl' | 'credentials'> {
  return { baseUrl, credentials };
}

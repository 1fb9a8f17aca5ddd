/**
 * A suite run twice: against a server that delivers into a directory, and against one that delivers into S3. With the strict
 * S3 server only the second.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe } from 'node:test';
import { S3 } from '@aws-sdk/client-s3';
import type { Target } from './api-client.ts';
import { readFolder, readS3Bucket, type Objects } from './buckets.ts';
import { startS3, STRICT_S3, type TestS3 } from './s3.ts';
import { startServer, type TestServer } from './server.ts';

export interface StoreTarget extends Target {
  /** A bucket that files may go to. */
  readonly bucket: string;
  /** What is in it below a prefix. */
  objects(prefix: string): Promise<Objects>;
  /** Stores an object behind the server's back. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** Removes one behind its back. */
  remove(key: string): Promise<void>;
  /** Of the server. */
  readonly dataDir: string;
}

const BUCKET = 'bucket';

type Suite = (getTarget: () => StoreTarget) => void;
type Config = Readonly<Record<string, unknown>>;

/** `config` are keys of the configuration beside those of the store. */
export function onBothStores(run: Suite, config: Config = {}): void {
  if (!STRICT_S3) onDirectory(run, config);
  onS3(run, config);
}

export function onDirectory(run: Suite, config: Config = {}): void {
  describe('into a directory', () => {
    let server: TestServer;
    before(async () => (server = await startServer({ config })));
    // Undefined when it did not start: then nothing else may be left behind.
    after(() => (server as TestServer | undefined)?.stop());

    run(() => {
      const folder = join(server.dataDir, 'objects', BUCKET);
      return {
        ...addressOf(server),
        objects: (prefix) => readFolder(folder, prefix),
        async write(key, bytes) {
          await mkdir(dirname(join(folder, key)), { recursive: true });
          await writeFile(join(folder, key), bytes);
        },
        remove: (key) => rm(join(folder, key)),
      };
    });
  });
}

function onS3(run: Suite, config: Config): void {
  describe('into S3', () => {
    let s3: TestS3;
    let server: TestServer;
    let client: S3;
    before(async () => {
      s3 = await startS3();
      await s3.createBucket(BUCKET);
      const { endpoint, region, accessKey: accessKeyId, secretKey: secretAccessKey } = s3;
      client = new S3({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
      server = await startServer({
        config,
        env: {
          SLUICE_S3_ENDPOINT: endpoint,
          SLUICE_S3_REGION: region,
          SLUICE_S3_ACCESS_KEY: accessKeyId,
          SLUICE_S3_SECRET_KEY: secretAccessKey,
        },
      });
    });
    after(async () => {
      await (server as TestServer | undefined)?.stop();
      client.destroy();
      await s3.close();
    });

    run(() => ({
      ...addressOf(server),
      objects: (prefix) => readS3Bucket(s3, BUCKET, prefix),
      write: async (Key, Body) => void (await client.putObject({ Bucket: BUCKET, Key, Body })),
      remove: async (Key) => void (await client.deleteObject({ Bucket: BUCKET, Key })),
    }));
  });
}

function addressOf({ baseUrl, credentials, dataDir }: TestServer) {
  return { baseUrl, credentials, dataDir, bucket: BUCKET };
}

/**
 * An S3 service for tests. As a rule that is fauxqs in this process, with everything in memory, which checks no
 * signatures; with SLUICE_TEST_S3=strict a real one that does (strict-s3.ts).
 */
import { startFauxqs } from 'fauxqs';
import { startStrictS3 } from './strict-s3.ts';

export interface TestS3 {
  /** URL of the service; buckets stand in the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Whether a wrong signature is refused. */
  readonly strict: boolean;
  createBucket(name: string): Promise<void>;
  close(): Promise<void>;
}

export const STRICT_S3 = process.env['SLUICE_TEST_S3'] === 'strict';

export async function startS3(): Promise<TestS3> {
  if (STRICT_S3) return startStrictS3();
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    accessKey: 'test-access-key',
    secretKey: 'test-secret-key',
    strict: false,
    createBucket: async (name) => void server.createBucket(name),
    close: () => server.stop(),
  };
}

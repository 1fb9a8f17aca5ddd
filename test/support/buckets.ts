/** Everything that is in a bucket, read behind the server's back. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import type { TestS3 } from './s3.ts';

export type Objects = ReadonlyMap<string, Buffer>;

/** The files below a folder whose keys start with `prefix`; without one, a store's temporary files are among them. */
export async function readFolder(folder: string, prefix = ''): Promise<Objects> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const objects = new Map<string, Buffer>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const key = relative(folder, path).split(sep).join('/');
    if (entry.isFile() && key.startsWith(prefix)) objects.set(key, await readFile(path));
  }
  return objects;
}

/** The objects of a bucket whose keys start with `prefix`. */
export async function readS3Bucket(s3: TestS3, bucket: string, prefix = ''): Promise<Objects> {
  const client = new S3({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
    forcePathStyle: true,
  });
  const objects = new Map<string, Buffer>();
  try {
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const place = { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const page = await client.listObjectsV2(place);
      for (const { Key = '' } of page.Contents ?? []) {
        const { Body } = await client.getObject({ Bucket: bucket, Key });
        objects.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
      }
      token = page.NextContinuationToken;
    }
  } finally {
    client.destroy();
  }
  return objects;
}

/** The objects whose keys start with `prefix`. */
export function below(objects: Objects, prefix: string): Objects {
  return new Map([...objects].filter(([key]) => key.startsWith(prefix)));
}

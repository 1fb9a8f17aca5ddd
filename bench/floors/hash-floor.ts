/** Reads every file below a folder and takes its SHA-256; prints the seconds. What a proof by content cannot do without. */
import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: hash-floor.ts FOLDER');

const begin = performance.now();
const buffer = Buffer.allocUnsafe(1024 * 1024);
for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const hash = createHash('sha256');
  const file = await open(join(entry.parentPath, entry.name));
  for (let read = -1; read !== 0;) {
    ({ bytesRead: read } = await file.read(buffer, 0, buffer.length));
    hash.update(buffer.subarray(0, read));
  }
  await file.close();
  hash.digest();
}
process.stdout.write(String((performance.now() - begin) / 1000));

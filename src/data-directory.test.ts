import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DataDirectoryError, openDataDirectory } from './data-directory.ts';

test('a data directory is private and has one owner until it is released', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-'));
  t.after(() => rm(parent, { recursive: true }));
  const root = join(parent, 'deep', 'data');

  const first = await openDataDirectory(root);
  assert.equal((await stat(root)).mode & 0o777, 0o700);
  assert.equal(first.path('x'), join(root, 'x'));
  await assert.rejects(openDataDirectory(root), (error) => {
    assert.ok(error instanceof DataDirectoryError);
    assert.match(error.message, /in use by another sluice process/);
    return true;
  });
  first.release();
  (await openDataDirectory(root)).release();
});

test('what cannot be a data directory is told in one line', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sluice-'));
  t.after(() => rm(parent, { recursive: true }));
  await writeFile(join(parent, 'file'), '');
  await assert.rejects(openDataDirectory(join(parent, 'file')), DataDirectoryError);
  await assert.rejects(openDataDirectory(join(parent, 'file', 'below')), DataDirectoryError);
  // A folder in which nothing can be made, where the kernel has one.
  if (process.platform === 'linux') await assert.rejects(openDataDirectory('/proc/sluice'), DataDirectoryError);
});

/** A file system of its own with little space, where this machine lets one be mounted. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface SmallDisk {
  readonly path: string;
  unmount(): Promise<void>;
}

const run = promisify(execFile);

/** Resolves to the disk, or to the reason why there is none. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'sluice-test', path]);
  } catch (error) {
    await rm(path, { recursive: true });
    return `a small file system cannot be mounted here: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
  return {
    path,
    async unmount() {
      // Lazily: a failed test may have left files open.
      await run('umount', ['-l', path]);
      await rm(path, { recursive: true });
    },
  };
}

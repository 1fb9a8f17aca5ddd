/** Where a figure was measured: a figure without its machine says nothing. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';

export function describeMachine(directory: string): string {
  const [first] = cpus();
  const disk = spawnSync('df', ['--output=fstype,source', directory], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .at(-1);
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const [type = 'unknown', source = ''] = (disk ?? '').trim().split(/\s+/);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${memory}, ${type} on ${source}, Linux ${release()}, Node ${process.version}`;
}

/** The commit that was measured, and whether the files differ from it. */
export function describeSource(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout.trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'no commit';
  return git('status', '--porcelain', '--', '../../src') === '' ? `commit ${commit}` : `commit ${commit} with changes`;
}

/** Forgets the peak of a process's resident memory, so that the next `peakRss` is of what comes now. */
export async function resetPeakRss(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** Peak resident memory of a process in MB (of 10^6 bytes) since its start or the last reset. */
export async function peakRss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

/** CPU time of a process so far, all threads, user and system, in seconds; counted in hundredths. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // Behind the name, which may hold anything but ends in the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Waits until nothing written earlier is still on its way to the disk: one contestant must not pay for another. */
export function settleDisk(directory: string): void {
  spawnSync('sync', ['-f', directory]);
}

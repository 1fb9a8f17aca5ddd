/** `sluice verify TASK`: proves the delivery of a dump task. Exit code 0: all is as the log says; 1: something is not; 2: not known. */
import type { Command } from 'commander';
import type { Environment } from './account-command.ts';
import { printFields } from './output.ts';
import { RemoteError } from './remote-error.ts';
import type { RemoteFlags } from './remote-target.ts';
import { EXIT_FAILED, EXIT_NO, print, runOnServer, withRemoteFlags, type Remote } from './remote.ts';
import { findTask, TASK_ARGUMENT, TASK_HELP } from './task-argument.ts';

interface VerifyFlags extends RemoteFlags {
  readonly contents?: boolean;
  readonly records?: boolean;
}

interface Line {
  readonly finding?: Finding;
  readonly progress?: Sums;
  readonly summary?: Sums;
  readonly error?: { readonly error_code: string; readonly error_msg: string };
}

type Sums = Readonly<Record<string, string | number>>;

interface Finding {
  readonly kind: string;
  readonly partition?: number;
  readonly first?: number;
  readonly last?: number;
  readonly bucket?: string;
  readonly key?: string;
  readonly detail: string;
}

export function addVerifyCommand(program: Command, env: Environment): void {
  withRemoteFlags(program.command('verify'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('check the files of a dump task against its log, the bucket and the stream')
    .option('--contents', 'read every object, also where its entity tag is as it should be')
    .option('--records', 'make the files again from the records that are still kept, and compare')
    .addHelpText('after', '\nExit codes: 0: all is as the log says; 1: something is not; 2: it could not be told.')
    .action((text: string, flags: VerifyFlags) => runOnServer(flags, env, (remote) => verify(remote, text, flags)));
}

async function verify(remote: Remote, text: string, flags: VerifyFlags): Promise<string> {
  // Until it is over; also for a reader of the output who leaves before that.
  process.exitCode = EXIT_FAILED;
  const { id } = await findTask(remote, text);
  const query = { contents: String(flags.contents ?? false), records: String(flags.records ?? false) };
  for await (const text of remote.lines('POST', `/v1/transfertasklog/${id}/verify`, { query })) {
    const { finding, progress, summary, error } = JSON.parse(text) as Line;
    showProgress(progress);
    if (progress !== undefined) continue;
    if (error !== undefined) throw new RemoteError(`${error.error_code} ${error.error_msg}`);
    if (finding !== undefined) process.exitCode = EXIT_NO;
    if (summary?.['findings'] === 0) process.exitCode = 0;
    if (flags.json === true) await print(`${text}\n`);
    else if (finding !== undefined) await print(describe(finding));
    if (summary === undefined) continue;
    return flags.json === true ? '' : printFields(summary);
  }
  throw new RemoteError('the answer ended before its summary');
}

/** For whoever watches: how far it is, on a line that is wiped out by what comes next. */
function showProgress(sums: Sums | undefined): void {
  if (!process.stderr.isTTY) return;
  const text =
    sums === undefined ? '' : `${sums['cuts']} cuts, ${sums['objects']} objects, ${sums['cuts_remade']} remade`;
  process.stderr.write(`\r\x1b[2K${text}`);
}

/** One line: what is wrong, where, and why. */
function describe({ kind, partition, first, last, bucket, key, detail }: Finding): string {
  const records = first === undefined ? '' : first === last ? ` record ${first}` : ` records ${first}-${last}`;
  const stream = partition === undefined ? '' : ` partition ${partition}${records}`;
  const object = key === undefined ? '' : ` ${bucket}/${key}`;
  return `${kind.padEnd(8)}${stream}${object}: ${detail}\n`;
}

/** `sluice redrive TASK`: converts the dead letters of a dump task once more. */
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Environment } from './account-command.ts';
import { printFields, remarkOnce } from './output.ts';
import type { RemoteFlags } from './remote-target.ts';
import { EXIT_NO, runOnServer, withRemoteFlags } from './remote.ts';
import { findTask, TASK_ARGUMENT, TASK_HELP } from './task-argument.ts';

interface Counts {
  readonly cuts: number;
  readonly records: number;
}

interface Progress {
  readonly redrive: Counts & { readonly cause?: string };
  readonly dead_letters: Counts;
}

const PAUSE_MS = 500;

export function addRedriveCommand(program: Command, env: Environment): void {
  withRemoteFlags(program.command('redrive'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('deliver records that could not be converted, under the settings that the task has now')
    .option(
      '--wait',
      'until it is done; exit code 1 when the task then has dead letters, also those that came meanwhile',
    )
    .action((text: string, flags: RemoteFlags & { readonly wait?: boolean }) =>
      runOnServer(flags, env, async (remote) => {
        const { stream, name } = await findTask(remote, text);
        const taskPath = remote.path('streams', stream, 'transfer-tasks', name);
        const path = `${taskPath}/redrive`;
        const { redrive: taken } = await remote.call<{ redrive: Counts }>('POST', path);
        const fields = { task: name, stream, objects: taken.cuts, records: taken.records };
        if (flags.wait !== true) return printFields(fields, flags.json);
        const tell = remarkOnce();
        for (;;) {
          const { redrive, dead_letters: left } = await remote.call<Progress>('GET', path);
          if (redrive.cuts === 0) {
            if (left.records > 0) process.exitCode = EXIT_NO;
            return printFields({ ...fields, dead: left.records }, flags.json);
          }
          if (redrive.cause !== undefined) tell(`it is tried again: ${redrive.cause}`);
          // It then takes for ever.
          const { state } = await remote.call<{ state: string }>('GET', taskPath);
          if (state === 'PAUSED') tell('the task is stopped');
          await setTimeout(PAUSE_MS);
        }
      }),
    );
}

/** `sluice task …`: stops and starts dump tasks of a running server. */
import type { Command } from 'commander';
import type { Environment } from './account-command.ts';
import { printFields } from './output.ts';
import type { RemoteFlags } from './remote-target.ts';
import { runOnServer, withRemoteFlags, type Remote } from './remote.ts';
import { findTask, TASK_ARGUMENT, TASK_HELP } from './task-argument.ts';

export function addTaskCommands(program: Command, env: Environment): void {
  const task = program.command('task').description('operate dump tasks of a running server');

  withRemoteFlags(task.command('stop'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('plan and write nothing more; a file that is being written is finished')
    .option('--finish-planned', 'finish everything that is planned first')
    .action((text: string, flags: RemoteFlags & { readonly finishPlanned?: boolean }) =>
      runOnServer(flags, env, async (remote) => {
        const mode = flags.finishPlanned === true ? { mode: 'finish_planned' } : {};
        return changeTask(remote, text, { action: 'stop', ...mode }, flags.json);
      }),
    );

  withRemoteFlags(task.command('start'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('go on where it was stopped')
    .action((text: string, flags: RemoteFlags) =>
      runOnServer(flags, env, (remote) => changeTask(remote, text, { action: 'start' }, flags.json)),
    );
}

/** Start and stop answer nothing: the state is asked for afterwards. */
async function changeTask(remote: Remote, text: string, action: object, json?: boolean): Promise<string> {
  const { id, stream, name } = await findTask(remote, text);
  const body = { ...action, tasks: [{ id }] };
  await remote.call('POST', remote.path('streams', stream, 'transfer-tasks', 'action'), { body });
  const path = remote.path('streams', stream, 'transfer-tasks', name);
  const { state, draining } = await remote.call<{ state: string; draining?: boolean }>('GET', path);
  return printFields({ task: name, stream, id, state, draining: draining || undefined }, json);
}

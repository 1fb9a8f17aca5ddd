/** The command line: hands each command what it needs of the outside world. */
import { Command } from 'commander';
import { addBackfillCommands } from './cli/backfill-commands.ts';
import { addKeyCommands } from './cli/key-commands.ts';
import { addLogCommand } from './cli/log-command.ts';
import { addNodesCommand } from './cli/nodes-command.ts';
import { addProjectCommands } from './cli/project-commands.ts';
import { addRedriveCommand } from './cli/redrive-command.ts';
import { EXIT_FAILED } from './cli/remote.ts';
import { addServeCommand } from './cli/serve-command.ts';
import { addTaskCommands } from './cli/task-commands.ts';
import { addUserCommands } from './cli/user-commands.ts';
import { addVerifyCommand } from './cli/verify-command.ts';
import { readVersion } from './version.ts';

const env = process.env; // eslint-disable-line no-restricted-syntax

const program = new Command('sluice')
  .description('Self-hosted data ingestion with the HTTP API of Huawei Cloud DIS')
  .version(readVersion(), '-v, --version')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')) });

addServeCommand(program, env);
addUserCommands(program, env);
addKeyCommands(program, env);
addProjectCommands(program, env);
// Commands inherit it from here on. With those above 1 is every error; of a command that asks a server it is an answer.
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_FAILED));
addTaskCommands(program, env);
addBackfillCommands(program, env);
addRedriveCommand(program, env);
addVerifyCommand(program, env);
addLogCommand(program, env);
addNodesCommand(program, env);

await program.parseAsync();

/** The command line: hands each command what it needs of the outside world. */
import { Command } from 'commander';
import { addKeyCommands } from './cli/key-commands.ts';
import { addProjectCommands } from './cli/project-commands.ts';
import { addServeCommand } from './cli/serve-command.ts';
import { addUserCommands } from './cli/user-commands.ts';
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

await program.parseAsync();

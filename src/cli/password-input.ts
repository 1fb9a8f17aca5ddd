/** A password as a command is given it: standard input keeps it out of the list of processes and the shell's history. */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { AccountError } from '../auth/accounts/account-error.ts';

export interface PasswordFlags {
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

export function withPasswordFlags(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input; without either one is made up and shown once')
    .addOption(
      new Option('--password <password>', 'the password, for everybody to see who can list processes').conflicts(
        'passwordStdin',
      ),
    );
}

/** Undefined when none was given. One line break at the end is not part of it. Throws AccountError for an empty one. */
export async function readPassword({ password, passwordStdin }: PasswordFlags): Promise<string | undefined> {
  const given = passwordStdin === true ? (await text(process.stdin)).replace(/\r?\n$/, '') : password;
  if (given === '') throw new AccountError('the password is empty');
  return given;
}

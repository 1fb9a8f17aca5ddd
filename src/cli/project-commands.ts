/** `sluice project …`: projects of the catalog, and with them its domains. */
import type { Command } from 'commander';
import { addProject, listProjects, removeProject } from '../auth/accounts/manage-projects.ts';
import {
  runOnAccounts,
  withCatalogFlags,
  type CatalogFlags,
  type DomainFlag,
  type Environment,
} from './account-command.ts';
import { remarkOnConfiguredProject } from './configured.ts';
import { printFields, printRows } from './output.ts';

type Flags = CatalogFlags & DomainFlag;

export function addProjectCommands(program: Command, env: Environment): void {
  const project = program
    .command('project')
    .description('manage projects; an account (domain) comes with its first one');

  withCatalogFlags(project.command('add <name>'))
    .description('add a project')
    .option('--domain <name>', 'account of the project, a new one too (default: the first user’s)')
    .option('--id <id>', 'letters and digits (default: made up)')
    .action((name: string, flags: Flags & { readonly id?: string }) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain, id } = await addProject(accounts, { domain: flags.domain, name, id: flags.id });
        return printFields({ domain, name, id }, flags.json);
      }),
    );

  withCatalogFlags(project.command('list'))
    .description('list projects with the number of their streams and apps')
    .option('--domain <name>', 'only of this account')
    .action((flags: Flags) =>
      runOnAccounts(flags, env, async ({ db }) => {
        const projects = await listProjects(db, flags.domain);
        const rows = projects.map(({ domain, name, id, streams, apps }) => ({ domain, name, id, streams, apps }));
        return printRows(['domain', 'name', 'id', 'streams', 'apps'], rows, flags.json);
      }),
    );

  withCatalogFlags(project.command('remove <name-or-id>'))
    .description('remove an empty project')
    .option('--domain <name>', 'account of the project (default: the first user’s)')
    .action((nameOrId: string, flags: Flags) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain, name, id } = await removeProject(accounts, { domain: flags.domain, nameOrId });
        remarkOnConfiguredProject(accounts.config, domain, name);
        return printFields({ domain, name, id, removed: true }, flags.json);
      }),
    );
}

/** `sluice nodes`: the nodes of an installation, and who does what. */
import type { Command } from 'commander';
import type { Environment } from './account-command.ts';
import { printRows } from './output.ts';
import type { RemoteFlags } from './remote-target.ts';
import { runOnServer, withRemoteFlags } from './remote.ts';

interface Node {
  readonly name: string;
  readonly url: string;
  readonly version: string;
  readonly start_time: number;
  readonly renew_time: number;
  readonly changes_behind: number;
  readonly all_work: boolean;
  readonly partitions: number;
  readonly tasks: number;
  readonly jobs: readonly string[];
}

const COLUMNS = ['name', 'url', 'version', 'started', 'seen', 'behind', 'partitions', 'tasks', 'jobs'];

export function addNodesCommand(program: Command, env: Environment): void {
  withRemoteFlags(program.command('nodes'))
    .description('show the nodes of the installation and who does what')
    .addHelpText('after', '\npartitions, tasks: dump work that it has; jobs: what it alone does for all.')
    .action((flags: RemoteFlags) =>
      runOnServer(flags, env, async (remote) => {
        const answer = await remote.call<{ nodes: readonly Node[] }>('GET', '/v1/nodes');
        if (flags.json === true) return `${JSON.stringify(answer, null, 2)}\n`;
        return printRows(COLUMNS, answer.nodes.map(toRow));
      }),
    );
}

function toRow(node: Node) {
  const { name, url, version, start_time, renew_time, changes_behind: behind, all_work: alone } = node;
  return {
    ...{ name, url, version, behind },
    started: new Date(start_time).toISOString(),
    seen: new Date(renew_time).toISOString(),
    partitions: alone ? 'all' : node.partitions,
    tasks: alone ? 'all' : node.tasks,
    jobs: alone ? 'all' : node.jobs.join(', '),
  };
}

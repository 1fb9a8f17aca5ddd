/** `sluice log TASK`: shows, filters, follows and exports the log of a dump task of a running server. */
import { setTimeout } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { LOG_KINDS } from '../catalog/schema.ts';
import { LOG_ENTRY_CSV_HEAD, logEntryCsv } from '../http/log-entry-csv.ts';
import type { LogEntry } from '../http/schemas/transfer-task-log.ts';
import { systemClock } from '../platform/clock.ts';
import type { Environment } from './account-command.ts';
import { LogFollower } from './follow-log.ts';
import {
  entries,
  filterOf,
  fits,
  parseLimit,
  SORTS,
  STATES,
  type Filter,
  type FilterFlags,
  type Sort,
} from './log-query.ts';
import { logHead, logLine } from './log-table.ts';
import type { RemoteFlags } from './remote-target.ts';
import { print, runOnServer, withRemoteFlags, type Remote } from './remote.ts';
import { findTask, TASK_ARGUMENT, TASK_HELP } from './task-argument.ts';
import { TIME_HELP } from './time-argument.ts';

const FORMATS = ['table', 'json', 'csv'] as const;
type Format = (typeof FORMATS)[number];

interface LogFlags extends RemoteFlags, FilterFlags {
  readonly sort?: Sort;
  readonly ascending?: boolean;
  readonly limit?: string;
  readonly follow?: boolean;
  readonly format: Format;
}

const DEFAULT_LIMIT = 20;
const PAUSE_MS = 1000;

export function addLogCommand(program: Command, env: Environment): void {
  withRemoteFlags(program.command('log'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('show the log of a dump task: every file, and every failed attempt at one')
    .addOption(new Option('--state <states...>', 'only these').choices(Object.keys(STATES)))
    .addOption(new Option('--kind <kinds...>', 'only these').choices([...LOG_KINDS]))
    .option('--since <time>', `planned at this time or later: ${TIME_HELP}`)
    .option('--until <time>', 'planned before this time')
    .option('--partition <id>', 'only of this partition')
    .option('--file <name>', 'only of this name; a name that ends in * is a beginning')
    .option('--dead-letters', 'only with records that could not be converted')
    .addOption(new Option('--sort <by>', 'the largest first (default: the newest last)').choices(Object.keys(SORTS)))
    .option('--ascending', 'the smallest first; without --sort the oldest first')
    .option('--limit <n>', `most entries (default: ${DEFAULT_LIMIT} in a table or with --follow, otherwise all)`)
    .option('--follow', 'go on with entries that come, and with those whose state changes')
    .addOption(
      new Option('--format <format>', 'json: an entry a line; csv: with a line of names')
        .choices(FORMATS)
        .default('table'),
    )
    .action((text: string, flags: LogFlags) => runOnServer(flags, env, (remote) => showLog(remote, text, flags)));
}

async function showLog(remote: Remote, text: string, flags: LogFlags): Promise<undefined> {
  const { sort, ascending = false, follow = false } = flags;
  const format = flags.json === true ? 'json' : flags.format;
  const filter = filterOf(flags, systemClock.now());
  const limit = flags.limit === undefined ? undefined : parseLimit(flags.limit);
  const { id } = await findTask(remote, text);
  const follower = follow ? await LogFollower.start(remote, id) : undefined;

  if (format !== 'table' && sort === undefined && !ascending && limit === undefined && !follow) {
    return exportLog(remote, id, filter, format);
  }
  const show = printer(format);
  const most = limit ?? (format === 'table' || follow ? DEFAULT_LIMIT : Infinity);
  const found: LogEntry[] = [];
  const query = { filter, sort: sort ?? 'time', ascending };
  // As in every log the newest are the last: they are gathered before the first is shown.
  const newestLast = sort === undefined && !ascending;
  if (newestLast) for await (const entry of entries(remote, id, query, most)) found.push(entry);
  await show.head();
  const first = newestLast ? found.reverse() : entries(remote, id, query, most);
  for await (const entry of first) {
    await show.entry(entry);
    follower?.saw(entry);
  }

  while (follower !== undefined) {
    await setTimeout(PAUSE_MS);
    for (const entry of await follower.news()) if (fits(filter, entry)) await show.entry(entry);
  }
}

/** The whole of it, as the server streams it. */
async function exportLog(remote: Remote, taskId: string, filter: Filter, format: Format): Promise<undefined> {
  const members = Object.entries(filter).map(([name, value]: [string, unknown]) => [name, String(value)]);
  const query = { format, ...(Object.fromEntries(members) as Record<string, string>) };
  for await (const piece of remote.bytes('GET', `/v1/transfertasklog/${taskId}/export`, { query })) await print(piece);
}

interface Printer {
  head(): Promise<void>;
  entry(entry: LogEntry): Promise<void>;
}

function printer(format: Format): Printer {
  if (format === 'json') {
    return { head: async () => undefined, entry: (entry) => print(`${JSON.stringify(entry)}\n`) };
  }
  if (format === 'table') {
    const width = process.stdout.columns as number | undefined;
    return { head: () => print(logHead()), entry: (entry) => print(logLine(entry, width)) };
  }
  return { head: () => print(LOG_ENTRY_CSV_HEAD), entry: (entry) => print(logEntryCsv(entry)) };
}

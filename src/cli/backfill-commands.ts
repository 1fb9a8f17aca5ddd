/** `sluice backfill …`: delivers records of a running server's stream once more, and operates what does. */
import { setTimeout } from 'node:timers/promises';
import { Argument, type Command } from 'commander';
import { systemClock } from '../platform/clock.ts';
import type { Environment } from './account-command.ts';
import { printFields, printRows, remark, remarkOnce } from './output.ts';
import { RemoteError } from './remote-error.ts';
import type { RemoteFlags } from './remote-target.ts';
import { EXIT_NO, runOnServer, withRemoteFlags, type Remote } from './remote.ts';
import { findTask, TASK_ARGUMENT, TASK_HELP } from './task-argument.ts';
import { parseTime, TIME_HELP } from './time-argument.ts';

interface BackfillFlags extends RemoteFlags {
  readonly prefix: string;
  readonly from?: string;
  readonly to?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

interface Range {
  readonly partitionId: string;
  readonly from_sequence_number: string;
  readonly to_sequence_number: string;
  readonly records: number;
  readonly bytes?: number;
  readonly truncated: boolean;
}

interface Planned {
  readonly backfill_id?: string;
  readonly records: number;
  readonly truncated: boolean;
  readonly partitions: readonly Range[];
}

interface Shown {
  readonly backfill_id: string;
  readonly state: string;
  readonly create_time: number;
  readonly records: number;
  readonly records_left: number;
  readonly discard: number;
  readonly cause?: string;
}

const ID_ARGUMENT = new Argument('<backfill>', 'id of the backfill');
const PAUSE_MS = 500;

export function addBackfillCommands(program: Command, env: Environment): void {
  const backfill = program
    .command('backfill')
    .description(
      'deliver records of a dump task again; "sluice backfill <task> …" is "sluice backfill start <task> …"',
    );

  withRemoteFlags(backfill.command('start', { isDefault: true }))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('deliver a range of the stream of a dump task again, under another prefix')
    .requiredOption('--prefix <folder>', 'folder of the files: another one than that of the task')
    .option('--from <point>', `the first records: ${TIME_HELP}, or partition:sequence,… (default: the oldest kept)`)
    .option('--to <point>', 'the first that are left out (default: the end as it is now)')
    .option(
      '--set <member=value...>',
      'what is to be different from the settings of the task; a value that is JSON is that, any other is text',
    )
    .option('--dry-run', 'only tell what would be delivered')
    .option('--wait', 'until it is done; exit code 1 when records could not be delivered')
    .action((text: string, flags: BackfillFlags) => runOnServer(flags, env, (remote) => start(remote, text, flags)));

  for (const action of ['pause', 'resume'] as const) {
    withRemoteFlags(backfill.command(action))
      .addArgument(ID_ARGUMENT)
      .description(action === 'pause' ? 'stop it; what is being written is finished' : 'go on where it was paused')
      .action((id: string, flags: RemoteFlags) =>
        runOnServer(flags, env, async (remote) => {
          const path = await pathOf(remote, id);
          await remote.call('POST', `${path}/action`, { body: { action } });
          return describe(await remote.call<Shown>('GET', path), flags.json);
        }),
      );
  }

  withRemoteFlags(backfill.command('cancel'))
    .addArgument(ID_ARGUMENT)
    .description('end it, or take a finished one out of the list; its files and its log stay')
    .action((id: string, flags: RemoteFlags) =>
      runOnServer(flags, env, async (remote) => {
        await remote.call('DELETE', await pathOf(remote, id));
        return printFields({ backfill: id, cancelled: true }, flags.json);
      }),
    );

  withRemoteFlags(program.command('backfills'))
    .argument(TASK_ARGUMENT, TASK_HELP)
    .description('list the backfills of a dump task, the newest first')
    .action((text: string, flags: RemoteFlags) =>
      runOnServer(flags, env, async (remote) => {
        const rows = (await listAll(remote, await pathBelow(remote, text))).map((shown) => ({
          backfill: shown.backfill_id,
          state: shown.state,
          created: new Date(shown.create_time).toISOString(),
          records: shown.records,
          left: shown.records_left,
          discarded: shown.discard,
        }));
        return printRows(['backfill', 'state', 'created', 'records', 'left', 'discarded'], rows, flags.json);
      }),
    );
}

async function start(remote: Remote, text: string, flags: BackfillFlags): Promise<string> {
  const now = systemClock.now();
  const body = {
    file_prefix: flags.prefix,
    ...(flags.from === undefined ? {} : { from: parsePoint(flags.from, now) }),
    ...(flags.to === undefined ? {} : { to: parsePoint(flags.to, now) }),
    ...(flags.set === undefined ? {} : { obs_destination_descriptor: parseMembers(flags.set) }),
    ...(flags.dryRun === true ? { dry_run: true } : {}),
  };
  const path = await pathBelow(remote, text);
  const planned = await remote.call<Planned>('POST', path, { body });
  if (planned.truncated) remark('records that were asked for have expired: it begins at the oldest that are kept');
  const { backfill_id: id } = planned;
  if (id === undefined) return describePlan(planned, flags.json);
  if (flags.wait !== true) return printFields({ backfill: id, records: planned.records }, flags.json);
  return describe(await finished(remote, `${path}/${id}`), flags.json);
}

/** Also says once why a file fails, and that it was paused: then it takes for ever. */
async function finished(remote: Remote, path: string): Promise<Shown> {
  const tell = remarkOnce();
  for (;;) {
    const shown = await remote.call<Shown>('GET', path);
    if (shown.state === 'FINISHED') {
      if (shown.discard > 0) process.exitCode = EXIT_NO;
      return shown;
    }
    if (shown.cause !== undefined) tell(`it is tried again: ${shown.cause}`);
    if (shown.state === 'PAUSED') tell('it is paused');
    await setTimeout(PAUSE_MS);
  }
}

function describe(shown: Shown, json?: boolean): string {
  const { backfill_id, state, records, records_left, discard } = shown;
  return printFields({ backfill: backfill_id, state, records, left: records_left, discarded: discard }, json);
}

function describePlan(planned: Planned, json?: boolean): string {
  if (json === true) return `${JSON.stringify(planned, null, 2)}\n`;
  const rows = planned.partitions.map((range) => ({
    partition: range.partitionId,
    from: range.from_sequence_number,
    to: range.to_sequence_number,
    records: range.records,
    bytes: range.bytes ?? 0,
    truncated: range.truncated,
  }));
  const sum = { partition: 'all', from: '', to: '', records: planned.records, bytes: 0, truncated: planned.truncated };
  for (const { bytes } of rows) sum.bytes += bytes;
  return printRows(['partition', 'from', 'to', 'records', 'bytes', 'truncated'], [...rows, sum]);
}

async function listAll(remote: Remote, path: string): Promise<Shown[]> {
  const all: Shown[] = [];
  for (;;) {
    const last = all.at(-1)?.backfill_id;
    const query = { limit: 100, start_backfill_id: last };
    const { backfills } = await remote.call<{ backfills: Shown[] }>('GET', path, { query });
    all.push(...backfills);
    if (backfills.length < 100) return all;
  }
}

async function pathBelow(remote: Remote, text: string): Promise<string> {
  const { stream, name } = await findTask(remote, text);
  return remote.path('streams', stream, 'transfer-tasks', name, 'backfills');
}

/** The path of a backfill of which the id alone is known. */
async function pathOf(remote: Remote, id: string): Promise<string> {
  const { parent_task_id: parent } = await remote.call<{ parent_task_id: string | null }>(
    'GET',
    remote.path('transfer-tasks', id),
  );
  if (parent === null) throw new RemoteError(`${id} is no backfill`);
  return `${await pathBelow(remote, parent)}/${id}`;
}

const NUMBERS = /^(?:[\w-]+:\d+)(?:,[\w-]+:\d+)*$/;

/** A time, or `partition:number` pairs. Throws RemoteError. */
function parsePoint(text: string, now: number): object {
  if (!NUMBERS.test(text) || /^\d{4}-/.test(text)) return { timestamp: parseTime(text, now) };
  return { sequence_numbers: Object.fromEntries(text.split(',').map((pair) => pair.split(':'))) as object };
}

/** `member=value`: a value that is JSON is that, any other is text. */
function parseMembers(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new RemoteError(`${pair} is no member=value`);
      return [pair.slice(0, equals), parseValue(pair.slice(equals + 1))];
    }),
  );
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

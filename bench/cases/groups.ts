/**
 * A consumer group of 200 members, each in the rhythm of the Kafka adapter: how long it takes from a change of the
 * membership until every member is stable in one generation with every partition dealt out, counted in heartbeats. No
 * floor: it is the heartbeats that a group waits for, so the figure tells what the coordinator adds to them.
 */
import { join } from 'node:path';
import { DisClient } from '../../test/support/dis-client.ts';
import { GroupClient } from '../../test/support/group-client.ts';
import type { BenchContext } from '../harness/context.ts';
import { cpuSeconds } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { Sluice } from '../harness/sluice.ts';
import { median, spread } from '../harness/stats.ts';

const MEMBERS = 200;
const STREAMS = 2;
const PARTITIONS = 500;
/** A fifth of the adapter's, and sessions with it, so that a round takes half a minute. */
const HEARTBEAT_MS = 2000;
const SESSION_SECONDS = 6;
const LOOK_MS = 10;
const PATIENCE_MS = 60_000;

/** What happens, and after how many heartbeats at the most it should be over. */
const EVENTS = [
  { name: `${MEMBERS} start at once`, aim: 2 },
  { name: 'one joins', aim: 2 },
  { name: 'one leaves', aim: 2 },
  { name: 'one falls silent', aim: 5 },
  { name: `${MEMBERS / 2} leave at once`, aim: 2 },
] as const;
type EventName = (typeof EVENTS)[number]['name'];

export async function benchGroups(context: BenchContext): Promise<Section> {
  const sluice = await Sluice.start(join(context.directory, 'data'), { group_session_seconds: SESSION_SECONDS });
  try {
    const dis = await DisClient.login(sluice.server);
    for (let stream = 0; stream < STREAMS; stream += 1) await sluice.createStream(`groups-${stream}`, PARTITIONS);
    const results = new Map<EventName, number[]>(EVENTS.map(({ name }) => [name, []]));
    const idle: number[] = [];
    for (let round = 0; round < context.repeats; round += 1) {
      context.progress(`groups: round ${round + 1}`);
      await sluice.call('POST', '/apps', { body: { app_name: `group-${round}` } });
      const group = new BenchGroup(dis, `group-${round}`);
      await runRound(group, (name, heartbeats) => results.get(name)!.push(heartbeats));
      idle.push(await idleCpu(sluice.server.pid));
      await group.stop();
    }
    dis.close();
    return section(results, idle);
  } finally {
    await sluice.server.stop();
  }
}

async function runRound(group: BenchGroup, record: (name: EventName, heartbeats: number) => void): Promise<void> {
  const changes: Record<EventName, () => void> = {
    [`${MEMBERS} start at once`]: () => group.add(MEMBERS),
    'one joins': () => group.add(1),
    'one leaves': () => group.remove(1, 'leave'),
    'one falls silent': () => group.remove(1, 'die'),
    [`${MEMBERS / 2} leave at once`]: () => group.remove(MEMBERS / 2, 'leave'),
  };
  for (const { name } of EVENTS) {
    const begin = performance.now();
    const before = group.generation;
    changes[name]();
    await group.stable(before);
    record(name, (performance.now() - begin) / HEARTBEAT_MS);
  }
}

/** CPU of the server, in percent of one core, while the members that are left do nothing but live. */
async function idleCpu(pid: number): Promise<number> {
  const [cpu, begin] = [await cpuSeconds(pid), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 3 * HEARTBEAT_MS));
  return (((await cpuSeconds(pid)) - cpu) / ((performance.now() - begin) / 1000)) * 100;
}

function section(results: ReadonlyMap<EventName, readonly number[]>, idle: readonly number[]): Section {
  const rows = EVENTS.map(({ name, aim }) => {
    const values = results.get(name)!;
    return [name, spread(values, 2), verdict(median(values), '≤', aim)];
  });
  return {
    title: 'Consumer groups',
    blocks: [
      `Heartbeats from a change of the group until every member is stable and all ${STREAMS * PARTITIONS} partitions of ` +
        `${STREAMS} streams are dealt out. Members ask for accelerated assignment; a heartbeat is every ` +
        `${HEARTBEAT_MS / 1000} s here, and three missed ones make a member silent.`,
      table(['event', 'heartbeats', 'aim'], rows),
      `The server's CPU while ${MEMBERS / 2 - 1} members do nothing but live: ${spread(idle, 1)} % of a core.`,
    ],
  };
}

/** The members of one group. */
class BenchGroup {
  readonly #dis: DisClient;
  readonly #name: string;
  #members: GroupClient[] = [];
  /** Members that are on their way out. */
  readonly #leaving: Promise<void>[] = [];
  #added = 0;

  constructor(dis: DisClient, name: string) {
    this.#dis = dis;
    this.#name = name;
  }

  /** The newest that a member is in. */
  get generation(): number {
    return Math.max(-1, ...this.#members.map(({ generation }) => generation));
  }

  add(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#added += 1;
      const client = new GroupClient({
        dis: this.#dis,
        group: this.#name,
        clientId: `member-${this.#added}`,
        interest: {
          interestedStream: Array.from({ length: STREAMS }, (_, stream) => `groups-${stream}`),
          accelerateAssignEnabled: true,
        },
        heartbeatMs: HEARTBEAT_MS,
      });
      this.#members.push(client);
      client.start();
    }
  }

  remove(count: number, how: 'leave' | 'die'): void {
    for (const client of this.#members.splice(0, count)) {
      this.#leaving.push(how === 'leave' ? client.leave() : client.die());
    }
  }

  /** Resolves once all members are stable in one generation after `before` and have every partition between them. */
  async stable(before: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!this.#isStable(before)) {
      if (performance.now() > end) throw new Error(`${this.#name} is not stable after ${PATIENCE_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async stop(): Promise<void> {
    this.remove(this.#members.length, 'leave');
    await Promise.all(this.#leaving);
  }

  #isStable(before: number): boolean {
    const [first] = this.#members;
    if (first === undefined || first.generation <= before) return false;
    if (this.#members.some((one) => one.assigned === undefined || one.generation !== first.generation)) return false;
    const dealt = this.#members.flatMap(({ assigned = {} }) => Object.values(assigned).flat());
    return dealt.length === STREAMS * PARTITIONS;
  }
}

/** The process that makes the load: runs what its parent (load-generator.ts) tells it, one run after the other. */
import { Connection } from './connection.ts';
import type { LoadReply, LoadResult, LoadRun } from './load-generator.ts';
import { conversations, type Conversation } from './traffic.ts';

process.on('message', (run: LoadRun) => {
  void execute(run).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

function reply(message: LoadReply): void {
  process.send!(message);
}

interface Tally {
  requests: number;
  records: number;
  readonly latencies: number[];
}

async function execute({
  url,
  connections: count,
  traffic,
  seconds,
  requests,
}: LoadRun): Promise<Omit<LoadResult, 'cpu'>> {
  const converse = conversations(traffic);
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)));
  const tally: Tally = { requests: 0, records: 0, latencies: [] };
  const begin = performance.now();
  const end = begin + (seconds ?? Infinity) * 1000;
  let left = requests ?? Infinity;
  const more = () => performance.now() < end && left-- > 0;
  try {
    await Promise.all(connections.map((connection, index) => talk(connection, converse(index), more, tally)));
  } finally {
    for (const connection of connections) connection.close();
  }
  const elapsed = (performance.now() - begin) / 1000;
  const sorted = Float64Array.from(tally.latencies).sort();
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
  return {
    requests: tally.requests,
    records: tally.records,
    seconds: elapsed,
    p50: quantile(0.5),
    p99: quantile(0.99),
  };
}

async function talk(connection: Connection, talker: Conversation, more: () => boolean, tally: Tally): Promise<void> {
  while (more()) {
    const sent = performance.now();
    const answer = await connection.exchange(talker.next());
    tally.latencies.push(performance.now() - sent);
    tally.records += talker.take(answer);
    tally.requests += 1;
  }
}

/**
 * Values that mean something to the server, by what they are called: what a fuzzer needs so that not every request ends
 * at "does not exist". Fed with a start and with whatever the server answers. `stream_name`, `stream-name` and
 * `streamName` are one name.
 */
const MOST_VALUES = 64;
/** Names under which the same things go elsewhere. */
const ALIASES: Readonly<Record<string, string | undefined>> = {
  startstreamname: 'streamname',
  streamnames: 'streamname',
  interestedstream: 'streamname',
  interestedstreamidlist: 'streamid',
  subscription: 'streamname',
  startpartitionid: 'partitionid',
  shardid: 'partitionid',
  startappname: 'appname',
  group: 'appname',
  groupid: 'appname',
  clientid: 'client',
  starttaskname: 'taskname',
  startbackfillid: 'backfillid',
  transfertaskid: 'taskid',
  id: 'taskid',
  nextpartitioncursor: 'partitioncursor',
  startingsequencenumber: 'sequencenumber',
  nextsequencenumber: 'sequencenumber',
  generationid: 'generation',
};

const IDS = ['streamid', 'taskid'];

type Thing = ReadonlyMap<string, unknown>;

export class Pool {
  readonly #random: () => number;
  readonly #start: Readonly<Record<string, readonly unknown[]>>;
  readonly #values = new Map<string, unknown[]>();
  /** What the answers showed together: a stream's name and id, a task's stream and name. */
  readonly #things: Thing[] = [];
  #focus: Thing | undefined;
  /** What the values of one request were picked for. */
  readonly #picked = new Map<string, unknown>();

  /** A name without values is one that answers may give values for. */
  constructor(random: () => number, start: Readonly<Record<string, readonly unknown[]>>) {
    this.#random = random;
    this.#start = start;
    this.forget();
  }

  knows(name: string): boolean {
    return this.#values.has(normalize(name));
  }

  /** Chooses what the next values are about, so that those of one request mostly fit together. */
  focus(): void {
    this.#picked.clear();
    this.#focus = this.#random() < 0.8 ? this.#things[Math.floor(this.#random() * this.#things.length)] : undefined;
  }

  /** Undefined when nothing is known by that name. */
  pick(name: string): unknown {
    const key = normalize(name);
    const focused = this.#focus?.get(key);
    if (focused !== undefined) return focused;
    const picked = this.#picked.get(key);
    if (picked !== undefined && this.#random() < 0.8) return picked;
    const values = this.#values.get(key);
    const value = values?.[Math.floor(this.#random() * values.length)];
    this.#picked.set(key, value);
    return value;
  }

  /** Takes in what an answer tells, for names that are known: others are of no use to a request. */
  harvest(answer: unknown, name = ''): void {
    if (Array.isArray(answer)) {
      for (const item of answer.slice(0, 4)) this.harvest(item, name);
    } else if (typeof answer === 'object' && answer !== null) {
      const thing = new Map<string, unknown>();
      for (const [key, value] of Object.entries(answer)) {
        // In a request it is a dump task's, in answers anybody's.
        if (key === 'id') continue;
        this.harvest(value, key);
        if (isUseful(value) && this.knows(key)) thing.set(normalize(key), value);
      }
      if (IDS.some((id) => thing.has(id)) && thing.size > 1) this.#put(this.#things, thing);
    } else if (isUseful(answer) && this.knows(name)) {
      const values = this.#values.get(normalize(name)) ?? [];
      if (!values.includes(answer)) this.#put(values, answer);
    }
  }

  /** Back to the start: what was learned may be gone. */
  forget(): void {
    this.#values.clear();
    this.#things.length = 0;
    for (const [name, values] of Object.entries(this.#start)) this.#values.set(normalize(name), [...values]);
  }

  #put<T>(list: T[], item: T): void {
    if (list.length < MOST_VALUES) list.push(item);
    else list[Math.floor(this.#random() * MOST_VALUES)] = item;
  }
}

function isUseful(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function normalize(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '');
  return ALIASES[plain] ?? plain;
}

/**
 * Who reads what: deals the partitions of streams to the members of a group. A pure function of what is given, so that it
 * can be told why a partition is where it is:
 *
 * - every partition of a stream goes to exactly one of the stream's subscribers;
 * - of each stream no subscriber gets more than one partition more than another, and over all streams no two members
 *   differ by more than one as far as their subscriptions allow it;
 * - within that, a member keeps what it had before;
 * - within that, members get runs of neighbouring partitions, in the order of their ids.
 */

/** A stream and its subscribers. */
export interface SharedStream {
  readonly stream: number;
  /** Numbers in ascending order. */
  readonly partitions: readonly number[];
  /** Ids of members, at least one, none twice. */
  readonly subscribers: readonly string[];
}

/** Partitions, in ascending order, by stream. */
export type Assignment = ReadonlyMap<number, readonly number[]>;

/** One stream while it is dealt. */
interface Deal {
  readonly stream: number;
  readonly partitions: readonly number[];
  /** In order of id. */
  readonly subscribers: readonly string[];
  /** What each subscriber had before and could keep. */
  readonly held: ReadonlyMap<string, readonly number[]>;
  /** What each subscriber gets at the least; those in `extra` get one more. */
  readonly base: number;
  readonly extra: Set<string>;
}

/** `before`: what each member had, by its id; of members and partitions that are gone it may hold anything. */
export function assign(
  streams: readonly SharedStream[],
  before: ReadonlyMap<string, Assignment>,
): Map<string, Map<number, number[]>> {
  const deals = streams.map((stream) => prepare(stream, before));
  const totals = new Totals(deals);
  for (const deal of deals) chooseExtra(deal, totals);
  evenOut(deals, totals);

  const result = new Map<string, Map<number, number[]>>();
  for (const member of totals.members) result.set(member, new Map());
  for (const deal of deals) {
    for (const [member, partitions] of dealOut(deal)) {
      if (partitions.length > 0) result.get(member)!.set(deal.stream, partitions);
    }
  }
  return result;
}

function prepare({ stream, partitions, subscribers }: SharedStream, before: ReadonlyMap<string, Assignment>): Deal {
  const known = new Set(partitions);
  const sorted = [...subscribers].sort((a, b) => (a < b ? -1 : 1));
  // What two members claim to have had goes to the first of them.
  const held = new Map(
    sorted.map((member) => [member, (before.get(member)?.get(stream) ?? []).filter((number) => known.delete(number))]),
  );
  const base = Math.floor(partitions.length / sorted.length);
  return { stream, partitions, subscribers: sorted, held, base, extra: new Set() };
}

/** Who gets one more: first those who would have to give one away otherwise, and of equal ones who has the least. */
function chooseExtra(deal: Deal, totals: Totals): void {
  const { partitions, subscribers, base, extra } = deal;
  for (let count = partitions.length - base * subscribers.length; count > 0; count -= 1) {
    const next = first(subscribers, (member) =>
      extra.has(member) ? undefined : [-keeps(deal, member), totals.now(member), totals.before(member)],
    );
    extra.add(next!);
    totals.add(next!, 1);
  }
}

/**
 * Moves one-mores from members with much to members with little while there is such a pair in any stream. Each move
 * brings two totals closer together, so it ends; when all subscribe to the same streams it ends with totals that differ
 * by one at most: who has more in total has the one-more of some stream in which the other has none.
 */
function evenOut(deals: readonly Deal[], totals: Totals): void {
  let moved = true;
  while (moved) {
    moved = false;
    for (const deal of deals) {
      const { subscribers, extra } = deal;
      const least = first(subscribers, (member) =>
        extra.has(member) ? undefined : [totals.now(member), -keeps(deal, member), totals.before(member)],
      );
      const most = first(extra, (member) => [-totals.now(member), keeps(deal, member)]);
      if (least === undefined || most === undefined || totals.now(most) < totals.now(least) + 2) continue;
      extra.delete(most);
      extra.add(least);
      totals.add(most, -1);
      totals.add(least, 1);
      moved = true;
    }
  }
}

/** 1 when the member would keep a partition by getting one more, else 0. */
function keeps({ held, base }: Deal, member: string): number {
  return held.get(member)!.length > base ? 1 : 0;
}

/** The member whose numbers come first, compared one after the other; of equal ones the first. Undefined ones are out. */
function first(members: Iterable<string>, order: (member: string) => number[] | undefined): string | undefined {
  let best: { readonly member: string; readonly numbers: number[] } | undefined;
  for (const member of members) {
    const numbers = order(member);
    if (numbers === undefined) continue;
    if (best === undefined || isBefore(numbers, best.numbers)) best = { member, numbers };
  }
  return best?.member;
}

function isBefore(one: readonly number[], other: readonly number[]): boolean {
  const index = one.findIndex((number, at) => number !== other[at]);
  return index !== -1 && one[index]! < other[index]!;
}

/** How much each member has in all streams together. */
class Totals {
  readonly #now = new Map<string, number>();
  readonly #before = new Map<string, number>();

  constructor(deals: readonly Deal[]) {
    for (const { subscribers, base, held } of deals) {
      for (const member of subscribers) {
        this.add(member, base);
        this.#before.set(member, this.before(member) + held.get(member)!.length);
      }
    }
  }

  /** In order of their first stream. */
  get members(): Iterable<string> {
    return this.#now.keys();
  }

  now(member: string): number {
    return this.#now.get(member) ?? 0;
  }

  /** What it had, of what is there still: of two that could take something, the newcomer is the better one. */
  before(member: string): number {
    return this.#before.get(member) ?? 0;
  }

  add(member: string, count: number): void {
    this.#now.set(member, this.now(member) + count);
  }
}

/** Each member keeps the first of what it had, up to its number; the rest goes round in order. */
function dealOut({ partitions, subscribers, held, base, extra }: Deal): Map<string, number[]> {
  const size = (member: string) => base + (extra.has(member) ? 1 : 0);
  const result = new Map(subscribers.map((member) => [member, held.get(member)!.slice(0, size(member))]));
  const kept = new Set([...result.values()].flat());
  const free = partitions.filter((number) => !kept.has(number));
  for (const [member, own] of result) {
    own.push(...free.splice(0, size(member) - own.length));
    own.sort((a, b) => a - b);
  }
  return result;
}

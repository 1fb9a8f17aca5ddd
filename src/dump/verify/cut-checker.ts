/**
 * The arithmetic of the log: in each partition the cuts and the given-up ranges follow each other without gap or overlap
 * from the task's first record to its position; the records in the files of a cut and its dead letters are the records of
 * the cut.
 *
 * Rows come in the order of their plans. What is held is the newest cut of each partition.
 */
import type { CutRow } from '../../catalog/dump-log-walk.ts';
import { LOG_STATE } from '../../catalog/schema.ts';
import type { Doubt } from './doubt.ts';
import type { Finding, VerifySummary } from './finding.ts';

/** Where a partition begins and ends as far as this verification is concerned. */
export interface CheckedRange {
  /** The first record of the kept log; undefined when it is not known: then the first cut is believed. */
  readonly start: number | undefined;
  /** The position when the verification began, exclusive. Cuts behind it are not looked at. */
  readonly end: number;
}

/** A whole cut with the rows of all its files. */
export interface CheckedCut {
  readonly plan: CutRow;
  readonly rows: readonly CutRow[];
}

interface Progress {
  at: number | undefined;
  cut: { readonly plan: CutRow; readonly rows: CutRow[] } | undefined;
}

export class CutChecker {
  readonly #ranges: ReadonlyMap<number, CheckedRange>;
  readonly #summary: VerifySummary;
  readonly #partitions = new Map<number, Progress>();
  readonly #doubts: Doubt[] = [];
  readonly #whole: CheckedCut[] = [];

  constructor(ranges: ReadonlyMap<number, CheckedRange>, summary: VerifySummary) {
    this.#ranges = ranges;
    this.#summary = summary;
  }

  /** Takes the next row. */
  take(row: CutRow): void {
    if (row.state === LOG_STATE.inProgress) return;
    if (row.state === LOG_STATE.succeeded) this.#count(row);
    if (row.kind === 'delivery') this.#takeDelivery(row);
  }

  /** The cuts that have become whole since the last call. */
  whole(): CheckedCut[] {
    return this.#whole.splice(0);
  }

  /** What is wrong, since the last call. */
  doubts(): Doubt[] {
    return this.#doubts.splice(0);
  }

  /** After the last row. */
  finish(): void {
    for (const [partition, range] of this.#ranges) {
      const progress = this.#progress(partition);
      this.#close(progress);
      const at = progress.at ?? range.start;
      if (at !== undefined && at < range.end) this.#gap(partition, at, range.end, 'the position');
    }
  }

  #count(row: CutRow): void {
    this.#summary.deadLetters += row.kind === 'delivery' ? row.dead_letters : 0;
    if (row.superseded_at !== null || row.object_key === '') return;
    this.#summary.files += 1;
    this.#summary.records += row.records;
    this.#summary.bytes += row.bytes;
  }

  #takeDelivery(row: CutRow): void {
    const range = this.#ranges.get(row.partition);
    if (range === undefined || row.first_sequence >= range.end) return;
    const progress = this.#progress(row.partition);
    if (row.plan_id !== null) {
      if (progress.cut?.plan.id === row.plan_id) progress.cut.rows.push(row);
      else this.#report(row, { kind: 'count', detail: 'the row of a file whose cut is not in the log' });
      return;
    }
    if (row.state === LOG_STATE.failed && row.given_up === 0) return;
    this.#close(progress);
    const at = progress.at ?? range.start ?? row.first_sequence;
    if (row.first_sequence > at) this.#gap(row.partition, at, row.first_sequence, `the file ${row.file_name}`);
    if (row.first_sequence < at) {
      const last = Math.min(at, row.next_sequence) - 1;
      const detail = `${row.file_name} begins before the end of what was delivered already`;
      this.#report(row, { kind: 'overlap', first: row.first_sequence, last, detail });
    }
    progress.at = Math.max(at, row.next_sequence);
    this.#summary.cuts += 1;
    if (row.given_up === 1) this.#summary.givenUp += row.next_sequence - row.first_sequence;
    else progress.cut = { plan: row, rows: [row] };
  }

  #close(progress: Progress): void {
    const { cut } = progress;
    if (cut === undefined) return;
    progress.cut = undefined;
    const { plan, rows } = cut;
    const inFiles = rows.reduce((sum, { records }) => sum + records, 0);
    const due = plan.next_sequence - plan.first_sequence;
    if (inFiles + plan.dead_letters !== due) {
      const detail = `the cut has ${due} records, its files ${inFiles} and its dead letters ${plan.dead_letters}`;
      this.#report(plan, { kind: 'count', first: plan.first_sequence, last: plan.next_sequence - 1, detail });
    }
    for (const row of rows) {
      const { first_record: first, last_record: last } = row;
      if (first === null || last === null) continue;
      const fits = plan.first_sequence <= first && last < plan.next_sequence && row.records <= last - first + 1;
      if (!fits) this.#report(row, { kind: 'count', first, last, detail: 'the file reaches out of its cut' });
    }
    this.#whole.push(cut);
  }

  #gap(partition: number, from: number, to: number, before: string): void {
    const detail = `no row of the log accounts for ${to - from} records before ${before}`;
    this.#doubts.push({
      finding: { kind: 'gap', partition, first: from, last: to - 1, detail },
      stands: ({ starts }) => to > (starts.get(partition) ?? 0),
    });
  }

  #report(row: CutRow, finding: Pick<Finding, 'kind' | 'detail' | 'first' | 'last'>): void {
    const place = row.object_key === '' ? {} : { bucket: row.bucket, key: row.object_key };
    this.#doubts.push({
      finding: { ...finding, partition: row.partition, ...place },
      // A cut with many files is pruned in several steps.
      stands: ({ time }) => row.created_at >= time,
    });
  }

  #progress(partition: number): Progress {
    let progress = this.#partitions.get(partition);
    if (progress === undefined) {
      progress = { at: undefined, cut: undefined };
      this.#partitions.set(partition, progress);
    }
    return progress;
  }
}

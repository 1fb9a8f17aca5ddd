/** Directories named for a time, such as `2026/11/23/10`, and the stretch of time that they stand for. UTC. */
import type { Period } from '../cut.ts';
import type { PartitionFormat } from '../settings.ts';

export interface Place {
  /** Directories without slashes around; empty for none. */
  readonly path: string;
  /** Undefined when the path says nothing of time. */
  readonly period: Period | undefined;
}

/** The directories of `format` for `time` (ms). */
export function timeDirectories(format: PartitionFormat, time: number): Place {
  if (format === '') return { path: '', period: undefined };
  const depth = format.split('/').length;
  const date = new Date(time);
  const parts = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
  ];
  const [year = 0, month = 0, ...rest] = parts.slice(0, depth);
  const path = [String(year).padStart(4, '0'), ...[month + 1, ...rest].slice(0, depth - 1).map(twoDigits)].join('/');
  const edge = (offset: number) => {
    const edges = parts.slice(0, depth);
    edges[depth - 1]! += offset;
    const [y = 0, m = 0, d = 1, h = 0, min = 0] = edges;
    return Date.UTC(y, m, d, h, min);
  };
  return { path, period: { start: edge(0), end: edge(1) } };
}

function twoDigits(part: number): string {
  return String(part).padStart(2, '0');
}

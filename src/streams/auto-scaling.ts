/**
 * Automatic scaling: once a minute each stream that wants it is held against what went through it in the last whole
 * minute, by the thresholds of the DIS documents.
 *
 * Up, to ⌈n / 0.6⌉ partitions: puts were throttled and the upload was above 80 % of the partitions' bandwidth. Where
 * nothing is throttled (profile `none`) an upload of the whole bandwidth says the same. Down, to ⌊n / 2⌋: upload and
 * download were both below 30 %. Within the bounds of the stream and the quota of its project, more than a minute after
 * the last scaling, and not within two minutes of one in the other direction.
 */
import { READ_BANDWIDTH, WRITE_BANDWIDTH } from '../model/bandwidth.ts';
import type { Limits } from '../model/limits.ts';
import type { LoadSource, StreamLoad } from '../model/stream-load.ts';
import type { Stream } from '../model/stream.ts';
import { partitionQuota } from './create-stream.ts';
import { writableCount } from './repartition.ts';
import { scaleStream, type ScaleStreamDeps } from './scale-stream.ts';
import type { StreamRegistry } from './stream-registry.ts';

/** Pause between two looks at every stream. */
export const AUTO_SCALING_MS = 60_000;

const NO_LOAD: StreamLoad = { putBytes: 0, getBytes: 0, throttledPuts: 0 };
const SECONDS = 60;
const MINUTE_MS = 60_000;
const BUSY = 0.8;
const IDLE = 0.3;
const SPACING_MS = MINUTE_MS;
const OPPOSITE_SPACING_MS = 2 * MINUTE_MS;

export interface AutoScalerOptions extends ScaleStreamDeps {
  readonly registry: StreamRegistry;
  readonly load: LoadSource;
  readonly logger: {
    info(details: object, message: string): void;
    error(details: object, message: string): void;
  };
}

export class AutoScaler {
  readonly #options: AutoScalerOptions;
  readonly #startedAt: number;

  constructor(options: AutoScalerOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Looks at every stream once. What goes wrong with one is logged, and is tried again at the next look. */
  async look(): Promise<void> {
    const { registry, load, logger } = this.#options;
    const candidates = [...registry.all()].filter((stream) => stream.autoScale.enabled && this.#wasSeen(stream));
    if (candidates.length === 0) return;
    const loads = await load.lastMinute(candidates.map(({ number }) => number));
    for (const stream of candidates) {
      const target = this.#target(stream, loads.get(stream.number) ?? NO_LOAD);
      if (target === undefined) continue;
      try {
        const { from, to } = await scaleStream(this.#options, stream, target, { automatic: true });
        logger.info({ stream: stream.id, from, to }, 'stream scaled');
      } catch (error) {
        logger.error({ err: error, stream: stream.id, target }, 'stream not scaled');
      }
    }
  }

  /** Whether the stream and this server were there for the whole of the last whole minute. */
  #wasSeen(stream: Stream): boolean {
    const minute = Math.floor(this.#options.clock.now() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
    return minute >= stream.createdAt && minute >= this.#startedAt;
  }

  /** How many partitions the stream should have, undefined for as many as it has. */
  #target(stream: Stream, load: StreamLoad): number | undefined {
    const { limits, clock } = this.#options;
    const count = writableCount(stream);
    const direction = directionOf(stream, count, load, limits);
    if (direction === undefined || !mayScale(stream, direction, clock.now())) return undefined;
    const { min = 1, max = Infinity } = stream.autoScale;
    if (direction === 'down') {
      const fewer = Math.max(Math.floor(count / 2), min);
      return fewer < count ? fewer : undefined;
    }
    // 5/3 instead of 1/0.6: exact where the result is a whole number.
    const more = Math.min(Math.ceil((count * 5) / 3), max, count + this.#freeQuota(stream));
    return more > count ? more : undefined;
  }

  #freeQuota({ projectId, type }: Stream): number {
    const { registry, limits } = this.#options;
    const streams = registry.ofProject(projectId).filter((stream) => stream.type === type);
    return partitionQuota(limits, type) - streams.reduce((used, stream) => used + writableCount(stream), 0);
  }
}

type Direction = 'up' | 'down';

function directionOf(
  { type }: Stream,
  count: number,
  { putBytes, getBytes, throttledPuts }: StreamLoad,
  { profile }: Limits,
): Direction | undefined {
  const upload = putBytes / (count * WRITE_BANDWIDTH[type].bytes * SECONDS);
  const download = getBytes / (count * READ_BANDWIDTH[type].bytes * SECONDS);
  const throttled = profile === 'dis' ? throttledPuts > 0 : upload >= 1;
  if (throttled && upload > BUSY) return 'up';
  return upload < IDLE && download < IDLE ? 'down' : undefined;
}

function mayScale({ scalings }: Stream, direction: Direction, now: number): boolean {
  return scalings.every(({ succeeded, at, from, to }) => {
    const spacing = (to > from ? 'up' : 'down') === direction ? SPACING_MS : OPPOSITE_SPACING_MS;
    return !succeeded || now - at > spacing;
  });
}

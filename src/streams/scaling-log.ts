/** The log of a stream's scalings: what is told of it, and when a stream may be scaled again. */
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { ScalingEvent, Stream } from '../model/stream.ts';

const HOUR_MS = 3_600_000;
/** Older entries are neither told nor kept. */
export const SCALING_LOG_MS = 7 * 24 * HOUR_MS;

/** The entries of the last seven days before `now` (ms), the newest last. */
export function recentScalings({ scalings }: Stream, now: number): ScalingEvent[] {
  return scalings.filter(({ at }) => at >= now - SCALING_LOG_MS);
}

/**
 * Throws ScalingLocked when the stream may not be scaled by hand at `now` (ms): after `scalings_per_hour` tries within
 * an hour, and with the profile `dis` also for an hour after a success. Automatic scalings do not count.
 */
export function requireUnlocked(stream: Stream, limits: Limits, now: number): void {
  const tries = stream.scalings.filter(({ automatic, at }) => !automatic && at > now - HOUR_MS);
  const most = limits.scalings_per_hour;
  if (tries.length >= most) {
    throw new DomainError('ScalingLocked', [
      stream.name,
      `at most ${most} an hour, next`,
      tries.at(-most)!.at + HOUR_MS,
    ]);
  }
  const success = limits.profile === 'dis' ? tries.findLast(({ succeeded }) => succeeded) : undefined;
  if (success !== undefined) {
    throw new DomainError('ScalingLocked', [stream.name, 'locked after a success, next', success.at + HOUR_MS]);
  }
}

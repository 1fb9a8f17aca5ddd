/** Values that take their time: something is said meanwhile, so that nobody on the way takes the silence for a dead connection. */
import type { Clock } from '../platform/clock.ts';

/** What comes instead of a value while there is none. */
export const BEAT = Symbol('beat');

/**
 * The values as they come; a beat before the first of them, and whenever `ms` have passed without one. Rejects as the
 * values do. Nothing beats while nobody asks for more.
 */
export async function* withHeartbeat<T>(
  values: AsyncIterable<T>,
  clock: Pick<Clock, 'after'>,
  ms: number,
): AsyncGenerator<T | typeof BEAT, void, undefined> {
  const iterator = values[Symbol.asyncIterator]();
  try {
    yield BEAT;
    for (let next = iterator.next(); ;) {
      const result = await inTime(next, clock, ms);
      if (result === BEAT) yield BEAT;
      else if (result.done === true) return;
      else {
        yield result.value;
        next = iterator.next();
      }
    }
  } finally {
    await iterator.return?.();
  }
}

async function inTime<T>(value: Promise<T>, clock: Pick<Clock, 'after'>, ms: number): Promise<T | typeof BEAT> {
  const { promise, resolve } = Promise.withResolvers<typeof BEAT>();
  const timer = clock.after(ms, () => resolve(BEAT));
  try {
    return await Promise.race([value, promise]);
  } finally {
    timer.cancel();
  }
}

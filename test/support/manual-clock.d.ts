/**
 * A clock that stands still until a test moves it. Timers that become due fire in the order of their times (equal ones
 * in the order in which they were set), each while the clock shows exactly its time.
 */
import type { Clock, Timer } from '../../src/platform/clock.ts';
export declare class ManualClock implements Clock {
    #private;
    constructor(now?: number);
    now(): number;
    monotonic(): number;
    after(ms: number, run: () => void): Timer;
    /** Number of timers that wait. */
    get pending(): number;
    /** Moves time on by `ms` and fires what becomes due, timers set meanwhile included. */
    advance(ms: number): void;
    /** Sets the wall clock alone, as an operator or NTP does; timers and durations do not notice. */
    jump(ms: number): void;
}

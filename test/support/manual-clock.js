export class ManualClock {
    #wall;
    #monotonic = 0;
    /** In the order in which they were set. */
    #timers = new Set();
    constructor(now = Date.UTC(2026, 0, 1)) {
        this.#wall = now;
    }
    now() {
        return this.#wall;
    }
    monotonic() {
        return this.#monotonic;
    }
    after(ms, run) {
        const timer = { due: this.#monotonic + Math.max(0, ms), run };
        this.#timers.add(timer);
        return { cancel: () => void this.#timers.delete(timer) };
    }
    /** Number of timers that wait. */
    get pending() {
        return this.#timers.size;
    }
    /** Moves time on by `ms` and fires what becomes due, timers set meanwhile included. */
    advance(ms) {
        const end = this.#monotonic + ms;
        for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
            this.#timers.delete(next);
            this.#move(next.due - this.#monotonic);
            next.run();
        }
        this.#move(end - this.#monotonic);
    }
    /** Sets the wall clock alone, as an operator or NTP does; timers and durations do not notice. */
    jump(ms) {
        this.#wall += ms;
    }
    #move(ms) {
        this.#monotonic += ms;
        this.#wall += ms;
    }
    #due(end) {
        let next;
        for (const timer of this.#timers) {
            if (timer.due <= end && (next === undefined || timer.due < next.due))
                next = timer;
        }
        return next;
    }
}
//# sourceMappingURL=manual-clock.js.map
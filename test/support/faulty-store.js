/** An object store that fails on purpose, around a real one. */
import { DomainError } from "../../src/model/errors.js";
export class FaultyStore {
    #store;
    /** Faults of the next puts, one each; then there are none. */
    faults = [];
    /** As long as it is set, every put has it. */
    always;
    failDeletes = false;
    /** Puts that hang at the moment. */
    hanging = 0;
    puts = 0;
    constructor(store) {
        this.#store = store;
    }
    checkBucket(bucket) {
        return this.#store.checkBucket(bucket);
    }
    async put(bucket, key, body, options) {
        this.puts += 1;
        switch (this.always ?? this.faults.shift() ?? 'none') {
            case 'none':
                return this.#store.put(bucket, key, body, options);
            case 'before':
                throw refused(bucket, 'before');
            case 'midway':
                for await (const _piece of body)
                    break;
                throw refused(bucket, 'midway');
            case 'after':
                await this.#store.put(bucket, key, body, options);
                throw refused(bucket, 'after');
            case 'hang':
                return this.#hang(options.signal);
        }
    }
    head(bucket, key) {
        return this.#store.head(bucket, key);
    }
    read(bucket, key) {
        return this.#store.read(bucket, key);
    }
    list(bucket, prefix) {
        return this.#store.list(bucket, prefix);
    }
    async delete(bucket, key) {
        if (this.failDeletes)
            throw refused(bucket, 'delete');
        await this.#store.delete(bucket, key);
    }
    close() {
        return this.#store.close();
    }
    async #hang(signal) {
        this.hanging += 1;
        try {
            return await new Promise((_resolve, reject) => {
                const abort = () => reject(signal?.reason);
                if (signal?.aborted)
                    abort();
                else
                    signal?.addEventListener('abort', abort, { once: true });
            });
        }
        finally {
            this.hanging -= 1;
        }
    }
}
function refused(bucket, when) {
    return new DomainError('ObjectStoreRefused', [bucket, `503 Slow Down (${when})`]);
}
//# sourceMappingURL=faulty-store.js.map
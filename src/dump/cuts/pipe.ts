/**
 * Carries the pieces of a file from who makes it to who stores it. A piece is handed over when it is asked for, and
 * `write` resolves when the next one is: so the two work at one pace, nothing is copied and nothing is kept.
 */
export class Pipe implements AsyncIterable<Uint8Array> {
  /** The piece that waits to be asked for. */
  #offered: Uint8Array | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #asked: PromiseWithResolvers<void> | undefined;
  #answered: PromiseWithResolvers<void> | undefined;
  /** Bytes handed over so far. */
  bytes = 0;
  /** True once the reader has been told that nothing more comes. */
  drained = false;

  /**
   * Offers the next piece. Resolves when it was taken and the one after it is asked for; the reader may look at it until it
   * asks for the next but one. Rejects once the pipe has failed. One call at a time.
   */
  async write(piece: Uint8Array): Promise<void> {
    this.#throwFailure();
    if (piece.byteLength === 0) return;
    this.#offered = piece;
    this.#asked = Promise.withResolvers();
    this.#answered?.resolve();
    await this.#asked.promise;
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#answered?.resolve();
  }

  /** Ends it before its time, for both sides; without effect on a pipe that is drained or has failed already. */
  fail(error: unknown): void {
    if (this.drained) return;
    this.#failure ??= { error };
    this.#asked?.reject(error);
    this.#answered?.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      this.#throwFailure();
      const piece = this.#offered;
      if (piece !== undefined) {
        this.#offered = undefined;
        this.bytes += piece.byteLength;
        yield piece;
        this.#asked?.resolve();
        continue;
      }
      if (this.#ended) {
        this.drained = true;
        return;
      }
      this.#answered = Promise.withResolvers();
      await this.#answered.promise;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

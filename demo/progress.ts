/** Progress for people: a bar that redraws itself on a terminal, a line now and then elsewhere. */

const WIDTH = 30;
const LINE_EVERY_MS = 1000;

export class Progress {
  readonly #total: number;
  readonly #terminal = process.stdout.isTTY;
  #lastLine = 0;

  constructor(total: number) {
    this.#total = total;
  }

  show(done: number, note: string): void {
    const share = done / this.#total;
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    if (this.#terminal) {
      const filled = Math.round(share * WIDTH);
      process.stdout.write(`\r  ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${percent}  ${note}\u001b[K`);
    } else if (Date.now() - this.#lastLine >= LINE_EVERY_MS || done === this.#total) {
      this.#lastLine = Date.now();
      process.stdout.write(`  ${percent}  ${note}\n`);
    }
  }

  /** Leaves the last state standing and goes to the next line. */
  end(): void {
    if (this.#terminal) process.stdout.write('\n');
  }
}

/** The seed of a randomised test: SLUICE_TEST_SEED, which replays an earlier run, or a new one; printed either way. */
export function testSeed(): number {
  const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 0x1_0000_0000));
  process.stderr.write(`SLUICE_TEST_SEED=${seed}\n`);
  return seed;
}

/** How often a loop goes round: the environment variable `name`, or `fallback`. */
export function testRounds(name: string, fallback: number): number {
  return Number(process.env[name] ?? fallback);
}

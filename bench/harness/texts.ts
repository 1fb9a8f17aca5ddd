/** JSON records that look like those of a shop: the same ones for the same seed. */
import { seededFraction } from '../../test/support/random.ts';

const WORDS =
  'order paid shipped returned gift express parcel customer warehouse north south east west card cash'.split(' ');

/** `count` records of about 500 bytes. The members p1, p100 and p10000 have that many different values. */
export function* orders(count: number): Generator<string, void, undefined> {
  const fraction = seededFraction(1);
  const word = () => WORDS[Math.floor(fraction() * WORDS.length)]!;
  for (let id = 0; id < count; id += 1) {
    yield JSON.stringify({
      id,
      p1: 'all',
      p100: `p${Math.floor(fraction() * 100)}`,
      p10000: `p${Math.floor(fraction() * 10_000)}`,
      at: 1_764_000_000_000 + id * 7,
      price: Math.floor(fraction() * 100_000) / 100,
      paid: fraction() < 0.5,
      customer: { name: `${word()} ${word()}`, key: Math.floor(fraction() * 1e12).toString(36) },
      items: Array.from({ length: 3 }, () => ({ name: word(), count: Math.floor(fraction() * 9) })),
      note: Array.from({ length: 25 }, word).join(' '),
    });
  }
}

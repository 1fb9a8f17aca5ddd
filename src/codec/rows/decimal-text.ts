/** Decimal numbers as text and as whole numbers of a scale: 12.5 of scale 2 is 1250n. Nothing is ever rounded. */

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * The number that `text` says, times 10^scale. Undefined for what is no number, has other digits than zeros beyond the
 * scale, or more than `precision` digits.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const match = NUMBER.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const written = whole + fraction;
  if (written === '') return undefined;
  const [first, end] = withoutZerosAround(written);
  if (first === end) return 0n;
  const zeros = written.length - end - fraction.length + Number(exponent) + scale;
  // The exponent may be anything: what cannot fit is not made.
  if (zeros < 0 || end - first + zeros > precision) return undefined;
  const magnitude = BigInt(written.slice(first, end) + '0'.repeat(zeros));
  return sign === '-' ? -magnitude : magnitude;
}

/** Where the digits begin and end that are neither leading nor trailing zeros. A loop: to a pattern, inner zeros are dear. */
function withoutZerosAround(digits: string): readonly [number, number] {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end -= 1;
  let first = 0;
  while (first < end && digits[first] === '0') first += 1;
  return [first, end];
}

/** With exactly `scale` digits after the point. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

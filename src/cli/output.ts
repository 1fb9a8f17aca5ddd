/** What commands print: aligned columns for people, JSON for scripts. Both have the same names and values. */

type Value = string | number | boolean;
type Row = Readonly<Record<string, Value>>;

/** One line a row, under the names of the columns in upper case; the names alone when there are none. */
export function printRows(columns: readonly string[], rows: readonly Row[], json = false): string {
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  const lines = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((row) => columns.map((name) => show(row[name]))),
  ];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const aligned = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return aligned.map((line) => `${line.trimEnd()}\n`).join('');
}

/** One line a member that is not undefined. */
export function printFields(fields: Readonly<Record<string, Value | undefined>>, json = false): string {
  if (json) return `${JSON.stringify(fields, null, 2)}\n`;
  const members = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(...members.map(([name]) => name.length));
  return members.map(([name, value]) => `${name.padEnd(width)}  ${show(value)}\n`).join('');
}

/** Remarks of which each is made once, for what is looked at again and again. */
export function remarkOnce(): (text: string) => void {
  const made = new Set<string>();
  return (text) => {
    if (!made.has(text)) remark(text);
    made.add(text);
  };
}

/** A remark that is not part of the result. */
export function remark(text: string): void {
  process.stderr.write(`note: ${text}\n`);
}

function show(value: Value | undefined): string {
  if (typeof value === 'boolean') return value ? 'yes' : '';
  return String(value ?? '');
}

/** Results as Markdown. */

export interface Section {
  readonly title: string;
  /** Paragraphs and tables. */
  readonly blocks: readonly string[];
}

/** A table, its cells padded as prettier pads them, so that a written file passes the format check. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(3, cell.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function render({ title, blocks }: Section): string {
  return [`## ${title}`, ...blocks].join('\n\n');
}

/** An aim and whether the figure meets it. */
export function verdict(value: number, relation: '≥' | '≤', aim: number, unit = ''): string {
  const met = relation === '≥' ? value >= aim : value <= aim;
  return `${relation} ${aim}${unit} ${met ? 'met' : '**missed**'}`;
}

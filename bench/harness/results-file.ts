/** bench/results.md: one section a benchmark, replaced when that benchmark is run again with --write. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { render, type Section } from './markdown.ts';

const PATH = join(import.meta.dirname, '..', 'results.md');

export async function writeResults(sections: readonly Section[]): Promise<void> {
  const [head = '', ...old] = (await readFile(PATH, 'utf8')).split(/^(?=## )/m);
  const kept = old.map((text) => {
    const fresh = sections.find(({ title }) => text.startsWith(`## ${title}\n`));
    return fresh === undefined ? text.trimEnd() : render(fresh);
  });
  const added = sections.filter(({ title }) => !old.some((text) => text.startsWith(`## ${title}\n`)));
  await writeFile(PATH, `${[head.trimEnd(), ...kept, ...added.map(render)].join('\n\n')}\n`);
}

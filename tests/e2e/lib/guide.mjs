// SPDX-License-Identifier: MIT
//
// The commands of the streaming guide, word for word. They are taken from the guide that the product's user
// gave, where it lies beside the checkout, else from our page, which has the same commands.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from './process.mjs';

export const given = join(rootDir, '../shared/seed/streaming-scenarios.md');
export const ours = join(rootDir, 'docs/scenarios-streaming.md');

// The shell blocks of a page, each as its lines that are commands.
export function blocksOf(path) {
  const blocks = readFileSync(path, 'utf8').matchAll(/^```bash\n(.*?)^```/gms);
  return [...blocks].map(([, text]) => text.split('\n').filter((line) => line.startsWith('./')));
}

// "How to Run" of each template.
export const guideBlocks = blocksOf(existsSync(given) ? given : ours).filter((lines) => lines.length > 0);

// SPDX-License-Identifier: MIT
//
// The commands of the streaming guide, word for word and from build/bin/: each is known, its file is there,
// and what it needs and is not there yet is said. They are taken from the guide that the product's user
// gave, where it lies beside the checkout, else from our page, which has the same commands.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { binDir, finished, rootDir, start } from './lib/process.mjs';

const given = join(rootDir, '../shared/seed/streaming-scenarios.md');
const ours = join(rootDir, 'docs/scenarios-streaming.md');

// The lines of the shell blocks that are commands.
function commandsOf(path) {
  const blocks = readFileSync(path, 'utf8').matchAll(/^```bash\n(.*?)^```/gms);
  return [...blocks].flatMap(([, text]) => text.split('\n').filter((line) => line.startsWith('./')));
}

const commands = [...new Set(commandsOf(existsSync(given) ? given : ours))];
const inPlace = binDir === join(rootDir, 'build/bin');

test('our page has the commands of the guide, unchanged', (t) => {
  if (!existsSync(given)) {
    t.skip('the guide is not here');
    return;
  }
  assert.deepEqual(commandsOf(ours), commandsOf(given));
});

test('there are commands: three programs, three scenarios', () => {
  const programs = new Set(commands.map((line) => line.split(' ')[0]));
  assert.deepEqual([...programs].sort(), ['./mcpdrill', './server', './worker']);
  assert.equal(commands.filter((line) => line.includes('examples/scenarios/')).length, 3);
});

for (const line of commands) {
  test(line, async (t) => {
    if (!inPlace) {
      t.skip('the commands of the guide are for build/bin');
      return;
    }
    const [program, ...args] = line.replace('<run-id>', 'run_0123456789abcdef').split(' ');
    for (const file of args.filter((arg) => arg.endsWith('.json'))) {
      const check = await finished(start('./mcpdrill', ['validate', file], { cwd: binDir }), line);
      assert.equal(check.code, 0, check.stderr);
    }
    const end = await finished(start(program, args, { cwd: binDir, timeoutMs: 20_000 }), line);
    assert.match(end.stderr, /not supported yet|cannot reach/, 'no word is unknown, and what is missing is said');
    assert.doesNotMatch(end.stderr, /unknown|did you mean/i);
    assert.notEqual(end.code, 0);
  });
}

// SPDX-License-Identifier: MIT
//
// The streaming guide and our page: the same commands, and scenarios that are there and in order.
// guide_fleet.test.mjs runs the commands.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { blocksOf, given, guideBlocks, ours } from './lib/guide.mjs';
import { binDir, finished, start } from './lib/process.mjs';

const commands = guideBlocks.flat();

test('our page has the commands of the guide, unchanged', (t) => {
  if (!existsSync(given)) {
    t.skip('the guide is not here');
    return;
  }
  assert.deepEqual(blocksOf(ours), blocksOf(given));
});

test('there are commands: three programs, three scenarios that are valid where they are named', async () => {
  const programs = new Set(commands.map((line) => line.split(' ')[0]));
  assert.deepEqual([...programs].sort(), ['./mcpdrill', './server', './worker']);
  const files = commands.flatMap((line) => line.match(/examples\/scenarios\/\S+/) ?? []);
  assert.equal(files.length, 3);
  for (const file of files) {
    const check = await finished(start('./mcpdrill', ['validate', file], { cwd: binDir }), file);
    assert.equal(check.code, 0, check.stderr);
  }
});

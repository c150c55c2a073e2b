// SPDX-License-Identifier: MIT
//
// The commands of the pages about control plane and workers, as a reader would type them. A block `sh background` is a
// program in a terminal of its own, which Ctrl-C ends at the end of the page; `sh` has to go well; `sh run` may end
// with 6, as a load does on a busy machine. The ports of the pages are replaced by free ones.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { binDir, finished, pause, rootDir, start, tempDir } from './lib/process.mjs';

const INVALID = 6;
const hasCurl = spawnSync('curl', ['--version']).status === 0;

// The shell blocks of a page in their order: {kind: '', 'background' or 'run', text}.
function blocksOf(page) {
  const text = readFileSync(join(rootDir, 'docs', page), 'utf8');
  return [...text.matchAll(/^```sh *(\w*)\n(.*?)^```/gms)].map(([, kind, commands]) => ({ kind, text: commands }));
}

// Ports that nobody has in this moment.
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

// A clone as a reader has it, with programs and examples, in which the pages' ports are others.
async function clone() {
  const [mock, server] = await freePorts(2);
  const place = { folder: tempDir(), terminals: [] };
  place.replaced = (text) => text.replaceAll(':9000', `:${mock}`).replaceAll(':8080', `:${server}`);
  place.env = { HOME: tempDir(), XDG_DATA_HOME: '', XDG_CONFIG_HOME: '', MCPDRILL_ENDPOINT: place.replaced('http://localhost:8080') };
  mkdirSync(join(place.folder, 'build'));
  symlinkSync(binDir, join(place.folder, 'build/bin'));
  cpSync(join(rootDir, 'examples'), join(place.folder, 'examples'), { recursive: true });
  for (const name of readdirSync(join(place.folder, 'examples')).filter((file) => file.endsWith('.json'))) {
    const path = join(place.folder, 'examples', name);
    writeFileSync(path, place.replaced(readFileSync(path, 'utf8')));
  }
  return place;
}

const shell = (place, script) =>
  start('bash', ['-c', place.replaced(script)], { cwd: place.folder, env: place.env, timeoutMs: 90_000 });

// Returns when the program has said that it is ready, each of its processes.
async function openTerminal(place, command) {
  const running = shell(place, `exec ${command}`);
  const count = Number(command.match(/--procs (\d+)/)?.[1] ?? 1);
  place.terminals.push({ running, command });
  for (let waited = 0; (running.stdout.match(/listening on|registered/g) ?? []).length < count; waited += 20) {
    assert.ok(waited < 20_000 && running.child.exitCode === null, `${command}\n${running.stdout}\n${running.stderr}`);
    await pause(20);
  }
}

async function play(place, { kind, text }) {
  if (kind === 'background') {
    await openTerminal(place, text);
    return;
  }
  const end = await finished(shell(place, `set -e\n${text}`), text);
  const good = kind === 'run' ? [0, INVALID] : [0];
  assert.ok(good.includes(end.code), `${text}ends with ${end.code}\n${end.stdout}\n${end.stderr}`);
  assert.doesNotMatch(end.stderr, /warning|not supported/i, text);
}

// Workers first, as the page says; each ends in order.
async function closeTerminals(place) {
  for (const { running, command } of place.terminals.reverse()) {
    running.child.kill('SIGINT');
    const end = await finished(running, command);
    assert.equal(end.code, 0, `${command}\n${end.stderr}`);
  }
}

const readings = [['getting-started.md'], ['fleet.md', 'api.md']];

for (const pages of readings) {
  test(pages.join(', then '), async (t) => {
    const blocks = pages.filter((page) => page !== 'api.md' || hasCurl).flatMap(blocksOf);
    const place = await clone();
    t.after(() => place.terminals.forEach(({ running }) => running.child.kill('SIGKILL')));
    assert.ok(blocks.length > 5, 'the page has commands');
    for (const block of blocks) {
      await play(place, block);
    }
    await closeTerminals(place);
  });
}

test('curl is here for the commands of api.md', { skip: hasCurl ? false : 'curl is not installed' }, () => {
  assert.ok(blocksOf('api.md').some(({ text }) => text.includes('curl')));
});

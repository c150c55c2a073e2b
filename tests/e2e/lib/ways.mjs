// SPDX-License-Identifier: MIT
//
// The ways in which one scenario can be played: by threads of one process, by processes of `run --workers`,
// and by workers of a control plane. Each way plays one run at a time.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBooks, mcpdrill } from './mcpdrill.mjs';
import { binDir, finished, pause, start, tempDir } from './process.mjs';
import { startServer } from './server.mjs';

// Starts workers of the control plane, a program for each list of arguments, and resolves to how many they are
// when all have registered. Ended with test `t`.
async function startWorkers(t, server, programs) {
  const count = programs.reduce((all, args) => all + Number(args[0] === '--procs' ? args[1] : 1), 0);
  for (const args of programs) {
    const all = ['--control-plane', server.url, '--threads', '1', ...args];
    const running = start(join(binDir, 'worker'), all, { timeoutMs: 300_000 });
    t.after(async () => {
      running.child.kill('SIGTERM');
      const end = await finished(running, 'worker');
      assert.equal(end.code, 0, end.stderr);
    });
  }
  for (let tries = 0; ; tries++) {
    const { body } = await server.ask('GET', '/workers');
    if (body.workers.length === count) {
      return count;
    }
    assert.ok(tries < 500, `${body.workers.length} of ${count} workers`);
    await pause(20);
  }
}

async function outcomeOf(end, json) {
  end.said = `${end.stdout}\n${end.stderr}`;
  assert.ok(existsSync(json), end.said);
  end.result = JSON.parse(readFileSync(json, 'utf8'));
  checkBooks(end.result);
  return end;
}

async function playHere(file, args) {
  const json = join(tempDir(), 'result.json');
  return outcomeOf(await mcpdrill(['run', file, '--json', json, ...args], { timeoutMs: 60_000 }), json);
}

async function playThere(server, file) {
  const json = join(tempDir(), 'result.json');
  const at = { env: { MCPDRILL_ENDPOINT: server.url, XDG_CONFIG_HOME: tempDir() }, timeoutMs: 60_000 };
  const created = await mcpdrill(['create', file], at);
  assert.equal(created.code, 0, created.stderr);
  return outcomeOf(await mcpdrill(['start', created.stdout.trim(), '--wait', '--json', json], at), json);
}

// Fleets by the arguments of their `worker` programs: of one worker, of two of which one is small (and worth a
// user of five), of five.
const FLEETS = [[['--procs', '1']], [['--max-vus', '10'], ['--max-vus', '40']], [['--procs', '5']]];

// Resolves to [{name, workers, play(file)}]; `play` resolves as `run` of mcpdrill.mjs does.
export async function startWays(t, procs = [3]) {
  const ways = [{ name: 'run', workers: 1, play: (file) => playHere(file, []) }];
  for (const workers of procs) {
    const args = ['--workers', String(workers), '--threads', '1'];
    ways.push({ name: `run --workers ${workers}`, workers, play: (file) => playHere(file, args) });
  }
  const started = FLEETS.map(async (programs) => {
    const server = await startServer(t, tempDir(), ['--no-mock']);
    const workers = await startWorkers(t, server, programs);
    return { name: `${workers} workers`, workers, play: (file) => playThere(server, file) };
  });
  return [...ways, ...(await Promise.all(started))];
}

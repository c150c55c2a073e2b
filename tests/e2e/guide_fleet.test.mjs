// SPDX-License-Identifier: MIT
//
// "How to Run" of the streaming guide, word for word from the folder of the programs, in a fresh home
// folder, and once more with what the first time left there. The ports are the guide's: each template has a
// network of its own where the machine gives one. Templates of minutes are stopped once their streams flow.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { guideBlocks } from './lib/guide.mjs';
import { checkBooks } from './lib/mcpdrill.mjs';
import { startNetwork } from './lib/netns.mjs';
import { finished, pause, tempDir } from './lib/process.mjs';

const READY = {
  './server': /^MCP Drill control plane listening on http:\/\/127\.0\.0\.1:\d+$/m,
  './worker': /^Worker registered: wkr_\w+$/m,
};

const waitFor = async (what, holds, tries = 1500) => {
  while (!holds()) {
    assert.ok(tries-- > 0, `in vain: ${what()}`);
    await pause(20);
  }
};

const isFree = (port) =>
  new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });

// Plays the lines of one block; resolves to what the programs said when everything has ended.
async function play(network, lines, env, { early }) {
  const rest = lines.filter((line) => !(line.split(' ')[0] in READY));
  const served = [];
  for (const line of lines.filter((one) => !rest.includes(one))) {
    const running = network.start(line, { env, timeoutMs: 120_000 });
    served.push({ line, running });
    const ready = READY[line.split(' ')[0]];
    await waitFor(() => `${line}: ${running.stdout}${running.stderr}`, () => ready.test(running.stdout));
  }
  const word = async (line) => finished(network.start(line, { env, timeoutMs: 90_000 }), line);

  const created = await word(rest[0]);
  assert.equal(created.code, 0, created.stderr);
  assert.match(created.stdout, /^run_[0-9a-f]+\n$/, 'the id alone');
  const id = created.stdout.trim();
  const started = await word(rest[1].replace('<run-id>', id));
  assert.equal(started.code, 0, started.stderr);
  const follow = network.start(rest[2].replace('<run-id>', id), { env, timeoutMs: 90_000 });
  if (early) {
    await waitFor(() => follow.stdout, () => follow.stdout.includes('baseline_running'));
    await pause(500);
    assert.equal((await word(`./mcpdrill stop ${id}`)).code, 0);
  }
  const events = await finished(follow, rest[2]);
  const folder = join(tempDir(), 'out');
  const exported = await word(`./mcpdrill export ${id} ${folder}`);
  assert.equal(exported.code, 0, exported.stderr);
  const list = JSON.parse((await word('./mcpdrill list --json')).stdout);
  const stats = await network.get('http://127.0.0.1:9000/stats');

  for (const { running, line } of served.reverse()) {
    running.child.kill('SIGTERM');
    const end = await finished(running, line);
    assert.equal(end.code, 0, `${line}: ${end.stderr}`);
  }
  const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  return { id, events, result, stats, list };
}

function checkRun({ events, result, stats }, early) {
  assert.equal(events.code, 0, events.stderr);
  assert.match(events.stdout, /RUN_CREATED/);
  assert.match(events.stdout, /created → preflight_running/);
  checkBooks(result);
  // Each operation is one call at the mock: what was cut is counted there, too.
  assert.equal(stats.requests['tools/call'], result.integrity.started);
  if (early) {
    assert.equal(stats.sessions_deleted, stats.sessions_opened);
    assert.equal(result.state, 'stopped');
    assert.equal(result.totals.operations_failed, 0);
    assert.equal(result.totals.stream_completion_rate, 1, 'it drained');
    assert.match(events.stdout, /→ stopped/);
  } else {
    assert.match(events.stdout, /STOP_CONDITION_TRIGGERED +stream_stall_count >= 5, observed \d+ in baseline /);
    assert.equal(result.stop.condition_id, 'stream-stalls');
    assert.equal(result.verdict, 'failed');
    assert.ok(result.totals.stream_stall_count >= 5);
  }
}

async function playTwice(t, network, lines, early) {
  if (!network.own && !((await isFree(9000)) && (await isFree(8080)))) {
    t.skip('port 9000 or 8080 is taken, and there is no network namespace to be had');
    return;
  }
  const env = { HOME: tempDir(), XDG_DATA_HOME: '', XDG_CONFIG_HOME: '' };
  const runs = [];
  for (let round = 0; round < 2; round++) {
    const played = await play(network, lines, env, { early });
    checkRun(played, early);
    runs.unshift(played.id);
    assert.deepEqual(played.list.runs.map((run) => run.run_id), runs, 'the newest first, and what was before');
  }
  for (const port of [8080, 9000]) {
    assert.ok(existsSync(join(env.HOME, `.local/share/mcpdrill/server-${port}`)));
  }
}

// Who shares the machine's ports takes turns.
let turn = Promise.resolve();
function inTurn(play) {
  const mine = turn.then(play);
  turn = mine.catch(() => {});
  return mine;
}

describe('How to Run', { concurrency: 3 }, () => {
  for (const lines of guideBlocks) {
    const scenario = lines.join(' ').match(/scenarios\/(\S+)\.json/)[1];
    const early = scenario !== 'stream-stall-test';
    test(`${scenario}, twice`, async (t) => {
      const network = await startNetwork(t);
      const twice = () => playTwice(t, network, lines, early);
      await (network.own ? twice() : inTurn(twice));
    });
  }
});

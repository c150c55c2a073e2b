// SPDX-License-Identifier: MIT
//
// A result says what its numbers are worth: a load generator that had no CPU is found out, by name,
// and a healthy one is not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ownTicks } from './lib/cores.mjs';
import { assertRan, baseline, endOfRun, run, wasHindered, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { binDir, foreignCores, pause, start, tempDir } from './lib/process.mjs';
import { watchMachine } from './lib/quiet.mjs';

const INVALID = 6;
const seconds = 7;

// A run of `program args… mcpdrill run …`.
function startWrapped(program, args, scenario) {
  const json = join(tempDir(), 'result.json');
  const running = start(
    program,
    [...args, join(binDir, 'mcpdrill'), 'run', writeScenario(scenario), '--json', json],
    { timeoutMs: 60_000 },
  );
  running.json = json;
  return running;
}

function firstCore() {
  const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(\d+)/m);
  return list ? list[1] : '0';
}

// Processes that never wait, all on one core, until the test ends.
function burn(t, core, count) {
  for (let i = 0; i < count; i++) {
    const burner = start('taskset', ['-c', core, process.execPath, '-e', 'for (;;);'], { timeoutMs: 60_000 });
    t.after(() => {
      burner.child.kill('SIGKILL');
      return burner.ended;
    });
  }
}

function isGeneratorBound(end, evidence) {
  assert.equal(end.code, INVALID, end.said);
  assert.equal(end.result.exit_code, INVALID);
  assert.equal(end.result.verdict, 'invalid');
  assert.equal(end.result.validity.state, 'generator_bound', JSON.stringify(end.result.validity));
  assert.match(JSON.stringify(end.result.validity.evidence), evidence);
  assert.match(end.said, /generator_bound|generator was the limit/);
  assert.match(end.stdout, evidence, 'people are told, too');
}

test('others on its core: generator_bound, and the signal is named', async (t) => {
  const mock = await startMock(t);
  const core = firstCore();
  burn(t, core, 3);
  const end = await endOfRun(
    startWrapped('taskset', ['-c', core], baseline({ url: mock.url, vus: 50, ms: seconds * 1000 })),
  );
  isGeneratorBound(end, /waiting for a core|sent late|waited unread/);
});

// A cgroup with a CPU quota, version 2 or 1; null where we may not make one.
function makeQuota(t, share) {
  const name = `mcpdrill-e2e-${process.pid}`;
  const kinds = [
    { base: '/sys/fs/cgroup', files: { 'cpu.max': `${share * 100_000} 100000` } },
    {
      base: '/sys/fs/cgroup/cpu',
      files: { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': `${share * 100_000}` },
    },
  ];
  for (const { base, files } of kinds) {
    const folder = join(base, name);
    try {
      if (!existsSync(join(base, 'cgroup.procs'))) {
        continue;
      }
      mkdirSync(folder);
      t.after(() => rmdirSync(folder));
      for (const [file, text] of Object.entries(files)) {
        assert.ok(existsSync(join(folder, file)), 'the controller is on');
        writeFileSync(join(folder, file), text);
      }
      return join(folder, 'cgroup.procs');
    } catch {
      continue;
    }
  }
  return null;
}

test('a CPU quota holds it back: generator_bound, by name', async (t) => {
  const mock = await startMock(t);
  const procs = makeQuota(t, 0.2);
  if (procs === null) {
    t.skip('no cgroup with a CPU quota can be made here');
    return;
  }
  const enter = `echo $$ > ${procs} && exec "$@"`;
  const end = await endOfRun(
    startWrapped(
      'sh',
      ['-c', enter, 'sh'],
      baseline({ url: mock.url, vus: 50, ms: seconds * 1000 }),
    ),
  );
  isGeneratorBound(end, /held back by the cgroup's CPU quota/);
});

const unhurried = (url) =>
  baseline({
    url,
    vus: 10,
    ms: seconds * 1000,
    workload: { think_time: { mode: 'fixed', base_ms: 100 } },
  });

test('think time on a quiet machine: valid', async (t) => {
  const mock = await startMock(t);
  let machine, end;
  // A hiccup that is too short for the watch may still hold it up for once.
  for (let tries = 0; tries < 3 && end?.code !== 0; tries++) {
    machine?.stop();
    machine = watchMachine();
    end = await run(unhurried(mock.url));
    assertRan(end);
  }
  if (end.code !== 0 && machine.skips(t)) {
    return;
  }
  machine.stop();
  assert.equal(end.result.validity.state, 'valid', end.said);
  assert.equal(end.result.verdict, 'passed');
});

test('a target that is too slow for its slots: under_delivered, with the slots that it takes', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      tool: 'slow_echo',
      stage: { load: { target_vus: 2, target_rps: 40 } },
      ms: 2000,
      timeouts: { deadline_ms: 500 },
    }),
  );
  assert.equal(end.code, INVALID, end.said);
  if (!wasHindered(end)) {
    assert.equal(end.result.validity.state, 'under_delivered', JSON.stringify(end.result.validity));
  }
  assert.match(
    end.result.validity.evidence.join('\n'),
    /^80 operations were due, \d+ started, \d+ dropped .*keeps about [\d.]+ slots busy \(\d+ with a margin for fluctuations\), there were 2$/m,
  );
});

test('a generator that is slow by itself has no excuse: others must have used the cores', () => {
  const end = (text, foreignCores, state = 'generator_bound', code = 6) => ({
    code,
    foreignCores,
    result: { validity: { state, evidence: [text] } },
  });
  for (const slow of ['requests sent late (p99): 9 ms', 'thread busy: 99 %']) {
    assert.equal(wasHindered(end(slow, 0.1)), false, slow);
    assert.equal(wasHindered(end(slow, undefined)), false, slow);
    assert.equal(wasHindered(end(slow, 1.2)), true, slow);
    assert.equal(wasHindered(end(slow, 1.2, 'lost_data')), false, slow);
    assert.equal(wasHindered(end(slow, 1.2, 'generator_bound', 0)), false, slow);
  }
  assert.equal(wasHindered(end('12 operations failed on our own side (descriptors)', 1.2)), false);
  for (const taken of ["held back by the cgroup's CPU quota: 30 %", 'thread waiting for a core: 20 %']) {
    assert.equal(wasHindered(end(taken, 0)), true, taken);
  }
});

const SPIN = 'while :; do :; done';

test('the cores are seen from outside: what others use, and what a child of a child of ours does', async (t) => {
  const begin = performance.now();
  const other = spawn('sh', ['-c', SPIN], { stdio: 'ignore' });
  t.after(() => other.kill('SIGKILL'));
  await pause(1500);
  assert.ok(foreignCores.most(begin) > 0.2, `${foreignCores.most(begin)} cores`);
  const ours = start('bash', ['-c', `(${SPIN}) & trap 'kill $!' TERM; wait`], { timeoutMs: 20_000 });
  const before = ownTicks([ours.pid]);
  await pause(1500);
  const used = ownTicks([ours.pid]) - before;
  ours.child.kill('SIGTERM');
  await ours.ended;
  assert.ok(used > 20, `${used} ticks`);
});

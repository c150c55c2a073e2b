// SPDX-License-Identifier: MIT
//
// `mcpdrill doctor`: what this machine has, what a scenario needs, and the command that helps.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { baseline, mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { binDir, finished, start } from './lib/process.mjs';

const UNFIT = 6;

const checkOf = (report, name) => report.checks.find((one) => one.check === name);

async function doctor(scenario, args = []) {
  const end = await mcpdrill(['doctor', writeScenario(scenario), '--json', ...args]);
  return { end, report: end.stdout ? JSON.parse(end.stdout) : null };
}

async function closedPort() {
  const server = net.createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

test('what would change a scenario needs one', async () => {
  for (const args of [['--set', 'workload.seed=1'], ['--with', 'more.json']]) {
    const end = await mcpdrill(['doctor', ...args]);
    assert.equal(end.code, 2);
    assert.match(end.stderr, new RegExp(`${args[0]} needs a FILE`));
  }
});

test('without a scenario nothing fails', async () => {
  const end = await mcpdrill(['doctor']);
  assert.equal(end.code, 0, end.stderr);
  for (const title of ['open files', 'ports', 'memory', 'cores', 'clock', 'timers', 'kernel']) {
    assert.match(end.stdout, new RegExp(`^(ok|warn|-) +${title}`, 'm'));
  }
  assert.match(end.stdout, /^\d+ ok, \d+ warnings, 0 failed, \d+ unknown$/m);
  const report = JSON.parse((await mcpdrill(['doctor', '--json'])).stdout);
  assert.equal(report.ok, true);
  assert.equal(report.needs, null);
  assert.equal(checkOf(report, 'target'), undefined);
});

test('a scenario whose target answers', async (t) => {
  const mock = await startMock(t);
  const { end, report } = await doctor(baseline({ url: mock.url, vus: 20 }));
  // A busy machine may be late by more than 10 ms; nothing else fails here.
  const failed = report.checks.filter(({ status, check }) => status === 'fail' && check !== 'timers');
  assert.deepEqual(failed, []);
  assert.equal(end.code, report.ok ? 0 : UNFIT);
  assert.equal(report.needs.vus, 20);
  assert.equal(report.needs.connections, 20);
  assert.match(checkOf(report, 'target').value, /connects in [\d.e-]+ ms \(median of 10\)/);
  const more = await doctor(baseline({ url: mock.url, vus: 20 }), ['--set', 'workload.in_flight_per_vu=3']);
  assert.equal(more.report.needs.connections, 60);
});

test('a target that is not there fails, with what to do', async () => {
  const { end, report } = await doctor(baseline({ url: `http://127.0.0.1:${await closedPort()}/mcp` }));
  assert.equal(end.code, UNFIT);
  assert.equal(report.ok, false);
  const target = checkOf(report, 'target');
  assert.equal(target.status, 'fail');
  assert.match(target.value, /refused/i);
  assert.match(target.fix, /start the target/);
});

test('too few descriptors fail, with the command that helps', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario(baseline({ url: mock.url, vus: 1000 }));
  const end = await finished(
    start('prlimit', ['--nofile=200:200', join(binDir, 'mcpdrill'), 'doctor', file]),
    'mcpdrill doctor',
  );
  assert.equal(end.code, UNFIT, end.stdout);
  assert.match(end.stdout, /^FAIL +open files +200 +needs 1,164\n +fix: ulimit -Hn 1164/m);
});

test('what cannot be loaded is a wrong configuration', async () => {
  assert.equal((await mcpdrill(['doctor', 'no-such-file.json'])).code, 2);
  assert.equal((await mcpdrill(['doctor', '--nonsense'])).code, 2);
  const end = await mcpdrill(['doctor', writeScenario({ stages: [] })]);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /stages/);
});

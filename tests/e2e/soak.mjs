// SPDX-License-Identifier: MIT
//
// Ten minutes each of churn and of heavy streaming, in which nothing may grow: memory and descriptors of both
// sides. Not among the tests that run every time:
//
//     MCPDRILL_SOAK_SECONDS=600 node --test tests/e2e/soak.mjs
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { assertRan, endOfRun, startRun } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { memoryOf, pause } from './lib/process.mjs';
import { template } from './lib/template.mjs';

const mebibyte = 1024 * 1024;
const seconds = Number(process.env.MCPDRILL_SOAK_SECONDS ?? 600);
const limit = 4 * mebibyte;

function descriptors(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function long(name, url) {
  const scenario = template(name);
  scenario.target.url = url;
  for (const { arguments: args } of scenario.workload.tools.templates) {
    args.interval_ms = 20;
  }
  scenario.stages = [{ stage: 'soak', duration_ms: seconds * 1000, load: { target_vus: 50 } }];
  scenario.safety.hard_caps.max_duration_ms = (seconds + 60) * 1000;
  return scenario;
}

for (const name of ['sse-with-churn', 'sse-heavy-load']) {
  test(`${name}: memory and descriptors stay`, async (t) => {
    const mock = await startMock(t, ['--seed', '1'], { timeoutMs: (seconds + 120) * 1000 });
    const before = descriptors(mock.pid);
    const running = startRun(long(name, mock.url), { timeoutMs: (seconds + 60) * 1000 });
    const samples = [];
    while (running.child.exitCode === null) {
      samples.push({
        ours: memoryOf(running.pid, 'VmRSS'),
        mock: memoryOf(mock.pid, 'VmRSS'),
        files: descriptors(running.pid),
      });
      await pause(500);
    }
    const end = await endOfRun(running);
    assertRan(end);
    const settled = samples[Math.floor(samples.length / 3)];
    const last = samples[samples.length - 4];
    assert.ok(last.ours - settled.ours < limit, `ours grew by ${(last.ours - settled.ours) / mebibyte} MiB`);
    assert.ok(last.mock - settled.mock < limit, `the mock's grew by ${(last.mock - settled.mock) / mebibyte} MiB`);
    assert.ok(last.files <= settled.files * 1.2 + 10, `${settled.files} descriptors, then ${last.files}`);
    const stats = await settledStats(mock);
    assert.equal(stats.sessions_open, 0);
    await pause(200);
    assert.ok(descriptors(mock.pid) <= before + 2, 'the mock has closed every connection');
  });
}

// SPDX-License-Identifier: MIT
//
// `reporting`: what of a run is kept, and what of it nobody may read.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { jsonAnswer, startHostile } from './lib/hostile.mjs';
import { assertRan, baseline, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

const ALL = ['events.ndjson', 'histograms.hlog', 'ops.ndjson', 'result.json', 'windows.ndjson'];

test('formats and include decide what --out holds; what is not wanted is not left over', async (t) => {
  const mock = await startMock(t);
  const out = tempDir();
  const keep = async (reporting) => {
    const end = await run(baseline({ url: mock.url, ms: 1000, reporting }), { args: ['--out', out] });
    assertRan(end);
    return readdirSync(out).sort();
  };
  const without = (...names) => ALL.filter((name) => !names.includes(name));
  assert.deepEqual(await keep({}), ALL);
  assert.deepEqual(await keep({ include: { store_event_log: false } }), without('events.ndjson'));
  assert.deepEqual(await keep({ include: { store_raw_logs: false } }), without('ops.ndjson'));
  assert.deepEqual(
    await keep({ include: { store_metrics_snapshot: false } }),
    without('windows.ndjson', 'histograms.hlog'),
  );
  writeFileSync(join(out, 'mine.txt'), 'not ours');
  const before = readFileSync(join(out, 'result.json'), 'utf8');
  assert.deepEqual(await keep({ formats: ['html'] }), [...ALL, 'mine.txt'].sort());
  assert.notEqual(readFileSync(join(out, 'result.json'), 'utf8'), before, 'of the last run');
  assert.equal((await mcpdrill(['report', out])).code, 0);
});

const TOKEN = 'tok-3141592653';
const KEY = 'key-2718281828';

// A server that repeats what it was sent, in the words of an error; `method` is what it answers so.
async function startTelltale(t, method) {
  const told = { times: 0 };
  const target = await startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method !== method) {
        return false;
      }
      told.times += request.text.includes(`Bearer ${TOKEN}`) && request.text.includes(KEY) ? 1 : 0;
      const error = { code: -32001, message: `bad credentials: ${TOKEN} with ${KEY}` };
      socket.write(jsonAnswer({ jsonrpc: '2.0', id: message.id, error }));
      return true;
    },
  );
  return { url: target.url, told };
}

for (const method of ['tools/call', 'initialize']) {
  test(`values of redacted headers are sent, and nobody reads them: ${method}`, async (t) => {
    const { url, told } = await startTelltale(t, method);
    const out = tempDir();
    const scenario = baseline({ url, ms: 1000 });
    scenario.target.headers = { authorization: 'Bearer ${env:E2E_TOKEN}', 'X-Own-Key': KEY };
    scenario.environment = { variables: ['E2E_TOKEN'] };
    scenario.reporting = { redaction: { redact_headers: ['Authorization', 'x-own-key'] } };
    const end = await run(scenario, {
      args: ['--out', out, '--junit', join(out, 'junit.xml')],
      env: { E2E_TOKEN: TOKEN },
    });
    assert.ok(told.times > 0, 'they are sent');
    assert.match(end.said, /bad credentials: \[redacted\] with \[redacted\]/);
    for (const name of readdirSync(out)) {
      const text = readFileSync(join(out, name), 'utf8');
      assert.ok(!text.includes(TOKEN) && !text.includes(KEY), `${name} has no secret`);
    }
    assert.ok(!end.said.includes(TOKEN) && !end.said.includes(KEY));
    assert.ok(!JSON.stringify(end.result).includes(TOKEN));
  });
}

test('explain, and what is said of --set, hide them too', async () => {
  const file = writeScenario({
    target: { url: 'http://localhost:9000', headers: { Cookie: 'sid=secret-1', 'X-Shown': 'yes' } },
    stages: [{ duration_ms: 2000 }],
  });
  const shown = await mcpdrill(['explain', file]);
  assert.deepEqual(JSON.parse(shown.stdout).target.headers, { Cookie: '[redacted]', 'X-Shown': 'yes' });
  const refused = await mcpdrill(['validate', file, '--set', 'target.headers.Cookie=secret-2\u0001']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /from --set target\.headers\.Cookie\)/);
  assert.ok(!refused.stderr.includes('secret-2'));
});
